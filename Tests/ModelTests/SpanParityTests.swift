import Kernels
import Storage
import TestSupport
import Testing

@testable import Model

/// The head that finds spans against torch's cross-entropy and autograd.
struct SpanParityTests {
    @Test(arguments: [[], [1, 3], [0, 1, 1, 4]])
    func `Scores, losses and gradients are torch's`(cut: [Int]) throws {
        let file = try SafeTensors(References.path("spans.safetensors"))
        let offsets = try file.readIntegers("offsets").map(Int.init)
        let places = try file.readIntegers("places").map(Int.init)
        let units = zip(offsets, offsets.dropFirst()).enumerated().map { number, bounds in
            let zeros = [UInt8](repeating: 0, count: bounds.1 - bounds.0)
            var sequence = TestSequence(tokens: zeros.map { Int32($0) }, segments: zeros)
            // A mark that training does not read stands everywhere.
            sequence.labels = zeros.map { _ in 4 }
            sequence.labels[places[2 * number]] += 1
            sequence.labels[places[2 * number + 1]] += 2
            return TestUnit(sequences: [sequence], label: 0)
        }
        let batch = TestBatch(units, slicesEndingAt: cut).packed(random: RandomStep(seed: 1, step: 1))
        batch.unitWeight = 1 / Float(units.count)
        let definition = HeadDefinition(task: "answers", kind: .span, dropout: 0)
        let model = OpenModel(heads: [definition], for: batch)
        func short(_ name: String) -> String { String(name.dropFirst("heads.answers.".count)) }
        let head = try #require(model.heads.first)
        #expect(head.reads == .allTokens && !head.readsPooler)
        for parameter in model.parameters.groups[3].parameters {
            parameter.value.assign(try file.read("parameters.\(short(parameter.name))"))
        }
        let rows = model.matrix(try file.read("rows"), columns: 32)
        #expect(try relativeError(head.forward(rows, batch).values, file.read("scores")) < 1e-5)
        let drows = model.matrix([Float](repeating: 9, count: rows.rows * 32), columns: 32)
        head.backward(batch, input: rows, into: drows)
        let losses = (0..<batch.unitCount).map { Float(batch.losses[$0]) }
        #expect(try relativeError(losses, file.read("losses")) < 1e-6)
        #expect(try relativeError(drows.values, file.read("gradients.rows")) < 1e-5)
        // The bias moves all scores of a softmax alike: its gradient is rounding noise.
        for parameter in model.parameters.groups[3].parameters where !parameter.name.hasSuffix("bias") {
            let found = model.parameters.gradient(of: parameter, tree: batch.tree, words: model.wordGradient)
            #expect(try relativeError(found, file.read("gradients.\(short(parameter.name))")) < 1e-5)
        }
    }
}
