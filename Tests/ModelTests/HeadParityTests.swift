import Kernels
import Storage
import TestSupport
import Testing

@testable import Model

/// The heads that read pooled first tokens against torch's autograd.
struct HeadParityTests {
    enum Case: String, CaseIterable {
        case classification, regression, ranking
    }

    @Test(arguments: Case.allCases, [[], [1, 3], [0, 1, 1, 4]])
    func lossPredictionsAndGradientsAreTorchs(_ kind: Case, cut: [Int]) throws {
        let file = try SafeTensors(References.path("heads.safetensors"))
        let sequences = try TestBatch.sequences(file, hasTokens: false)
        let test = TestBatch(try units(kind, sequences, file), slicesEndingAt: cut)
        let batch = test.packed(random: RandomStep(seed: 1, step: 1))
        let definition = HeadDefinition(task: kind.rawValue, kind: headKind(kind), dropout: 0)
        let model = OpenModel(heads: [definition], for: batch)
        try model.parameters.load(file, prefix: "\(kind).parameters.") { shortName($0, kind) }

        let head = model.heads[0]
        let rows = model.matrix(try file.read("rows"), columns: 32)
        let first = model.matrix([Float](repeating: 0, count: 7 * 32), columns: 32)
        batch.gather(.firstTokens, of: rows, into: first)
        let pooled = model.pooler.forward(first, batch)
        let scores = head.forward(pooled, batch)
        let predictions = self.predictions(kind, scores.values, test)
        #expect(try relativeError(predictions, file.read("\(kind).predictions")) < 1e-5)

        let dfirst = model.matrix([Float](repeating: 0, count: 7 * 32), columns: 32)
        head.backward(batch, input: pooled, into: model.pooler.outputGradient(batch))
        model.pooler.backward(batch, input: first, into: dfirst)
        let loss = (0..<batch.unitCount).reduce(0.0) { $0 + batch.losses[$1] } / Double(batch.unitCount)
        #expect(try relativeError([Float(loss)], file.read("\(kind).loss")) < 1e-6)

        let drows = model.matrix([Float](repeating: 0, count: rows.rows * 32), columns: 32)
        batch.add(dfirst, .firstTokens, to: drows)
        let rowsError = relativeError(drows.values, try file.read("\(kind).gradients.rows"))
        #expect(rowsError < 1e-5)
        let largest = try model.parameters.expectGradients(
            of: model.parameters.groups[2...].flatMap(\.parameters), batch, model.wordGradient, within: 1e-5,
            zeros: kind == .ranking ? ["classifier.bias"] : [], within: 1e-6, of: file
        ) { "\(kind).gradients.\(shortName($0, kind))" }
        print("\(kind), slices ending at \(cut): largest relative error \(max(rowsError, largest))")
    }

    private func headKind(_ kind: Case) -> HeadDefinition.Kind {
        switch kind {
        case .classification: .classification(classes: 3)
        case .regression: .regression
        case .ranking: .ranking
        }
    }

    private func shortName(_ name: String, _ kind: Case) -> String {
        name.hasPrefix("heads.") ? String(name.dropFirst("heads.\(kind).".count)) : name
    }

    private func units(_ kind: Case, _ sequences: [TestSequence], _ file: SafeTensors) throws -> [TestUnit] {
        guard kind == .ranking else {
            let labels =
                kind == .regression
                ? try file.read("regression.labels") : try file.readIntegers("classification.labels").map { Float($0) }
            return zip(sequences, labels).map { TestUnit(sequences: [$0], label: $1) }
        }
        let sizes = try file.readIntegers("ranking.query_sizes").map(Int.init)
        let positives = try file.readIntegers("ranking.positives")
        var start = 0
        return zip(sizes, positives).map { size, positive in
            defer { start += size }
            return TestUnit(sequences: Array(sequences[start..<(start + size)]), label: Float(positive))
        }
    }

    /// Probabilities of classes or candidates; of a similarity the score itself.
    private func predictions(_ kind: Case, _ scores: [Float], _ test: TestBatch) -> [Float] {
        let counts: [Int]
        switch kind {
        case .regression: return scores
        case .classification: counts = Array(repeating: 3, count: scores.count / 3)
        case .ranking: counts = test.slices.joined().map(\.sequences.count)
        }
        var result = scores
        var start = 0
        result.withUnsafeMutableBufferPointer { buffer in
            for count in counts {
                softmax(buffer.baseAddress! + start, count: count)
                start += count
            }
        }
        return result
    }
}
