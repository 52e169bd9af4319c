import Kernels
import Storage
import TestSupport
import Testing

@testable import Model

/// The head that labels tokens against torch's cross-entropy and autograd.
struct LabellingParityTests {
    @Test(arguments: [[], [1, 3], [0, 1, 1, 4]])
    func `Scores, loss and gradients are torch's`(cut: [Int]) throws {
        let file = try SafeTensors(References.path("labelling.safetensors"))
        let offsets = try file.readIntegers("offsets").map(Int.init)
        let labels = try file.readIntegers("labels").map { Int32($0) }
        let units = zip(offsets, offsets.dropFirst()).map { start, end in
            let zeros = [UInt8](repeating: 0, count: end - start)
            let sequence = TestSequence(
                tokens: zeros.map { Int32($0) }, segments: zeros, labels: Array(labels[start..<end]))
            return TestUnit(sequences: [sequence], label: 0)
        }
        let batch = TestBatch(units, slicesEndingAt: cut).packed(random: RandomStep(seed: 1, step: 1))
        let definition = HeadDefinition(task: "words", kind: .labelling(classes: 5), dropout: 0)
        let model = OpenModel(heads: [definition], for: batch)
        func short(_ name: String) -> String { String(name.dropFirst("heads.words.".count)) }
        let head = try #require(model.heads.first)
        for parameter in model.parameters.groups[3].parameters {
            parameter.value.assign(try file.read("parameters.\(short(parameter.name))"))
        }
        let rows = model.matrix(try file.read("rows"), columns: 32)
        #expect(try relativeError(head.forward(rows, batch).values, file.read("scores")) < 1e-5)
        let drows = model.matrix([Float](repeating: 9, count: rows.rows * 32), columns: 32)
        head.backward(batch, input: rows, into: drows)
        let loss = (0..<batch.unitCount).reduce(0.0) { $0 + batch.losses[$1] } * Double(batch.unitWeight)
        #expect(try relativeError([Float(loss)], file.read("loss")) < 1e-6)
        #expect(try relativeError(drows.values, file.read("gradients.rows")) < 1e-5)
        for parameter in model.parameters.groups[3].parameters {
            let found = model.parameters.gradient(of: parameter, tree: batch.tree, words: model.wordGradient)
            #expect(try relativeError(found, file.read("gradients.\(short(parameter.name))")) < 1e-5)
        }
    }
}
