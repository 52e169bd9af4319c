import Kernels
import Storage
import TestSupport
import Testing

@testable import Model

/// The encoder against transformers' `BertModel` on a tiny random BERT.
struct EncoderParityTests {
    /// Where one slice ends and the next begins: all in one, three uneven ones, and with empty slices.
    static let cuts: [[Int]] = [[], [1, 4], [0, 2, 2, 3, 6, 7]]

    @Test(arguments: cuts)
    func outputAndAllGradientsAreThoseOfTransformers(cut: [Int]) throws {
        let file = try SafeTensors(References.path("encoder.safetensors"))
        let references = try SafeTensors(References.path("encoder-gradients.safetensors"))
        let units = try TestBatch.sequences(file).map { TestUnit(sequences: [$0], label: 0) }
        let test = TestBatch(units, slicesEndingAt: cut)
        let batch = test.packed(random: RandomStep(seed: 1, step: 1))
        let model = OpenModel(for: batch)
        try model.parameters.load(file)
        test.touch(model.wordGradient)

        let output = model.encoder.forward(batch, .allTokens)
        #expect(try relativeError(output.values, file.read("output")) < 1e-5)
        let first = model.matrix([Float](repeating: 0, count: 7 * 32), columns: 32)
        batch.gather(.firstTokens, of: output, into: first)
        #expect(try relativeError(model.pooler.forward(first, batch).values, file.read("pooled")) < 1e-5)

        model.pooler.outputGradient(batch).assign(try file.read("pooled_cotangent"))
        let dfirst = model.matrix([Float](repeating: 0, count: 7 * 32), columns: 32)
        model.pooler.backward(batch, input: first, into: dfirst)
        let doutput = model.encoder.outputGradient(batch, .allTokens)
        doutput.assign(try file.read("output_cotangent"))
        batch.add(dfirst, .firstTokens, to: doutput)
        model.encoder.backward(batch, .allTokens, words: model.wordGradient)

        #expect(model.parameters.all.count == references.names.count)
        let largest = try model.parameters.expectGradients(
            of: model.parameters.all, batch, model.wordGradient, within: 1e-5, zeros: ["key.bias"], within: 2e-5,
            of: references
        ) { "gradients.\($0)" }
        print("encoder gradients, slices ending at \(cut): largest relative error \(largest)")
    }

    @Test(arguments: cuts)
    func `With dropout, output and all gradients are those of torch under the same masks`(cut: [Int]) throws {
        let file = try SafeTensors(References.path("encoder.safetensors"))
        let references = try SafeTensors(References.path("dropout.safetensors"))
        let units = try TestBatch.sequences(file).map { TestUnit(sequences: [$0], label: 0) }
        let test = TestBatch(units, slicesEndingAt: cut)
        let batch = test.packed(random: RandomStep(seed: 5 + (3 << 32), step: 70_000))
        let model = OpenModel(dropout: 0.1, attentionDropout: 0.1, for: batch)
        try model.parameters.load(file)
        test.touch(model.wordGradient)

        let output = model.encoder.forward(batch, .allTokens)
        #expect(try relativeError(output.values, references.read("output")) < 1e-5)
        model.encoder.outputGradient(batch, .allTokens).assign(try references.read("cotangent"))
        model.encoder.backward(batch, .allTokens, words: model.wordGradient)
        let parameters = model.parameters.all.filter { !$0.name.hasPrefix("pooler.") }
        #expect(references.names.count == parameters.count + 2)
        _ = try model.parameters.expectGradients(
            of: parameters, batch, model.wordGradient, within: 1e-5, zeros: ["key.bias"], within: 2e-5, of: references
        ) { "gradients.\($0)" }
    }

    @Test func evaluationGivesTheSameOutputWithoutRandomNumbers() throws {
        let file = try SafeTensors(References.path("encoder.safetensors"))
        let units = try TestBatch.sequences(file).map { TestUnit(sequences: [$0], label: 0) }
        let batch = TestBatch(units, slicesEndingAt: []).packed(random: nil)
        // What training would drop must not be dropped here.
        let model = OpenModel(dropout: 0.5, attentionDropout: 0.5, for: batch)
        try model.parameters.load(file)
        let error = relativeError(model.encoder.forward(batch, .allTokens).values, try file.read("output"))
        #expect(error < 1e-5)
        print("encoder output: relative error \(error)")
    }
}
