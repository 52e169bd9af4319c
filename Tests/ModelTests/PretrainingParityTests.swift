import Foundation
import Kernels
import Storage
import TestSupport
import Testing

@testable import Model

/// The head for pre-training and the encoder under it against transformers' `BertForPreTraining`.
struct PretrainingParityTests {
    private let file: SafeTensors
    private let test: [TestUnit]

    init() throws {
        file = try SafeTensors(References.path("pretraining.safetensors"))
        let targets = try file.readIntegers("targets").map { Int32($0) }
        let masked = try file.readIntegers("masked").map(Int.init)
        let labels = try file.readIntegers("next_labels").map { Float($0) }
        var sequences = try TestBatch.sequences(file)
        var start = 0
        for index in sequences.indices {
            let count = sequences[index].tokens.count
            for (place, target) in zip(masked, targets) where (start..<(start + count)).contains(place) {
                // The file has what stands there, the batch is given what is told.
                sequences[index].masked.append((place - start, sequences[index].tokens[place - start]))
                sequences[index].tokens[place - start] = target
            }
            start += count
        }
        test = zip(sequences, labels).map { TestUnit(sequences: [$0], label: $1) }
    }

    private func model(for batch: PackedBatch) throws -> OpenModel {
        let model = OpenModel(heads: [HeadDefinition(task: "text", kind: .maskedWords, dropout: 0.3)], for: batch)
        try model.parameters.load(file, rename: rename)
        return model
    }

    private func rename(_ name: String) -> String {
        name.hasPrefix("heads.text.") ? "cls." + name.dropFirst("heads.text.".count) : name
    }

    @Test(arguments: [[], [1, 4], [0, 2, 2, 3, 6, 7]])
    func `Loss, scores and all gradients are those of transformers`(cut: [Int]) throws {
        let test = TestBatch(test, slicesEndingAt: cut)
        let batch = test.packed(random: RandomStep(seed: 1, step: 1))
        let model = try model(for: batch)
        let head = try #require(model.heads.first)
        test.touch(model.wordGradient)
        let scores = head.forward(model.encoder.forward(batch, head.reads), batch)
        #expect(try relativeError(scores.values, file.read("scores")) < 1e-5)
        let dx = model.encoder.outputGradient(batch, head.reads)
        dx.fill(9)
        head.backward(batch, input: model.encoder.output(batch, head.reads), into: dx)
        model.encoder.backward(batch, head.reads, words: model.wordGradient, decoder: head.decoderGradient)
        let loss = (0..<batch.unitCount).reduce(0.0) { $0 + batch.losses[$1] } * Double(batch.unitWeight)
        #expect(try relativeError([Float(loss)], file.read("loss")) < 1e-6)

        #expect(model.parameters.all.count == file.names.count { $0.hasPrefix("gradients.") })
        let largest = try model.parameters.expectGradients(
            of: model.parameters.all, batch, model.wordGradient, within: 1e-5, zeros: ["key.bias"], within: 2e-5,
            of: file
        ) { "gradients.\(rename($0))" }
        print("pre-training gradients, slices ending at \(cut): largest relative error \(largest)")
    }

    /// What an evaluation takes from the scores: also where it has room for those of few masked tokens at once.
    @Test(arguments: [0, 3, 20])
    func `Sums of losses and hits are those of transformers' scores`(trained: Int) throws {
        let test = TestBatch(test, slicesEndingAt: [])
        var capacity = test.capacity
        capacity.trainedMaskedTokens = trained
        let batch = test.packed(capacity: capacity, random: nil)
        let model = try model(for: batch)
        let head = try #require(model.heads.first)
        let found = head.forward(model.encoder.forward(batch, head.reads), batch)

        let scores = try file.read("scores"), targets = try file.readIntegers("targets")
        let hits = targets.indices.map { row in
            let values = scores[(row * 100)..<(row * 100 + 100)]
            return values.firstIndex(of: values.max()!)! - row * 100 == Int(targets[row])
        }
        let losses = try file.read("masked_losses"), nextLosses = try file.read("next_losses")
        var next = 0
        for (index, unit) in self.test.enumerated() {
            let masked = next..<(next + unit.sequences[0].masked.count)
            next = masked.upperBound
            let row = (0..<4).map { found.row(index)[$0] }
            #expect(abs(row[0] - losses[masked].reduce(0, +)) < 1e-4)
            #expect(row[1] == Float(masked.count) && row[2] == Float(masked.count { hits[$0] }))
            #expect(row[3] == (nextLosses[index] < 0.693_147 ? 1 : 0))
        }
        #expect(next == losses.count && nextLosses.contains { $0 > 0.7 } && nextLosses.contains { $0 < 0.69 })
    }

    @Test func `A hit is the first of the highest scores`() {
        let values: [Float] = [1, 3, 2, 3, 0, 0, 0, 0, -1, 0]
        for (target, isHit) in [(1, true), (3, false), (2, false)] {
            var row = values, loss = 0.0, isLargest = false
            row.withUnsafeMutableBufferPointer {
                judgeCrossEntropy(
                    Matrix($0.baseAddress!, rows: 1, columns: 10), targets: [Int32(target)], losses: &loss,
                    areLargest: &isLargest)
            }
            #expect(isLargest == isHit)
            let sum = values.reduce(0.0) { $0 + Foundation.exp(Double($1)) }
            #expect(abs(loss - (Foundation.log(sum) - Double(values[target]))) < 1e-6)
        }
    }
}
