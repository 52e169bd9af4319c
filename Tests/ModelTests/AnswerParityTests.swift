import Kernels
import Storage
import TestSupport
import Testing

@testable import Model

/// The stochastic answer network against torch's autograd over the equations written out.
struct AnswerParityTests {
    @Test(arguments: ["plain", "masked"], [[], [1, 4], [0, 3, 3, 6]])
    func lossPredictionsAndGradientsAreTorchs(_ name: String, cut: [Int]) throws {
        let file = try SafeTensors(References.path("san.safetensors"))
        let sequences = try TestBatch.sequences(file, hasTokens: false)
        let labels = try file.readIntegers("labels")
        let test = TestBatch(
            zip(sequences, labels).map { TestUnit(sequences: [$0], label: Float($1)) }, slicesEndingAt: cut)
        let batch = test.packed(random: nil)
        let definition = HeadDefinition(
            task: "san", kind: .answerNetwork(classes: 3, turns: 5, predictionDropout: 0), dropout: 0)
        let model = OpenModel(heads: [definition], for: batch)
        try model.parameters.load(file) { shortName($0) }
        let head = try #require(model.heads[0] as? StochasticAnswerNetwork)
        let rows = model.matrix(try file.read("rows"), columns: 32)

        head.masks.draw(batch)  // without random numbers, all ones
        if name == "masked" { try fill(head.masks, from: file) }
        let predictions = head.answer(rows, batch)
        #expect(try relativeError(predictions.values, file.read("\(name).predictions")) < 1e-5)

        let drows = model.matrix([Float](repeating: .nan, count: rows.rows * 32), columns: 32)
        head.backward(batch, input: rows, into: drows)
        let loss = (0..<batch.unitCount).reduce(0.0) { $0 + batch.losses[$1] } / Double(batch.unitCount)
        #expect(try relativeError([Float(loss)], file.read("\(name).loss")) < 1e-6)
        let rowsError = relativeError(drows.values, try file.read("\(name).gradients.rows"))
        #expect(rowsError < 2e-5)
        let largest = try model.parameters.expectGradients(
            of: model.parameters.groups[3].parameters, batch, model.wordGradient, within: 2e-5,
            zeros: ["summary.bias"], within: 1e-6, of: file
        ) { "\(name).gradients.\(shortName($0))" }
        print("answer network, \(name), slices ending at \(cut): largest relative error \(max(rowsError, largest))")
    }

    private func shortName(_ name: String) -> String {
        name.hasPrefix("heads.san.") ? String(name.dropFirst("heads.san.".count)) : name
    }

    private func fill(_ masks: AnswerMasks, from file: SafeTensors) throws {
        masks.summary.prefix(7).assign(try file.read("masked.mask.summary"))
        masks.turns.prefix(7).assign(try file.read("masked.turn_masks"))
        for k in 0..<5 {
            let rows = (k * 7)..<(k * 7 + 7)
            masks.memory.rows(rows).assign(try file.read("masked.mask.attention_memory.\(k)"))
            masks.state.rows(rows).assign(try file.read("masked.mask.attention_state.\(k)"))
            masks.comparison.rows(rows).assign(try file.read("masked.mask.classifier.\(k)"))
            if k < 4 { masks.recurrence.rows(rows).assign(try file.read("masked.mask.recurrent.\(k)")) }
        }
    }
}
