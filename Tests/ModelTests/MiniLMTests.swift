import Foundation
import Kernels
import Storage
import TestSupport
import Testing

@testable import Model

/// The real all-MiniLM-L6-v2 encoder. It is not part of the repository: `MTDNN_MINILM` names its folder, or it lies in
/// `encoders/minilm` of the package.
struct MiniLMTests {
    static let file: String = {
        let package = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let folder =
            ProcessInfo.processInfo.environment["MTDNN_MINILM"]
            ?? package.appendingPathComponent("encoders/minilm").path
        return folder + "/model.safetensors"
    }()

    @Test(
        .enabled(
            if: FileManager.default.fileExists(atPath: MiniLMTests.file),
            "the MiniLM encoder is not here: set MTDNN_MINILM to a folder with its model.safetensors"),
        arguments: [[], [2, 3]])
    func outputIsThatOfTransformers(cut: [Int]) throws {
        let file = try SafeTensors(References.path("minilm.safetensors"))
        let units = try TestBatch.sequences(file).map { TestUnit(sequences: [$0], label: 0) }
        let batch = TestBatch(units, slicesEndingAt: cut).packed(random: nil)
        let sizes = EncoderSizes(
            vocabularySize: 30_522, hiddenSize: 384, layerCount: 6, headCount: 12, intermediateSize: 1_536)
        let model = OpenModel(sizes, for: batch)
        let weights = try SafeTensors(MiniLMTests.file)
        #expect(model.parameters.all.allSatisfy { weights.contains($0.name) })
        try model.parameters.load(weights, prefix: "")
        let output = model.encoder.forward(batch, .allTokens)
        let error = try relativeError(output.values, file.read("output"))
        #expect(error < 1e-5)
        let first = model.matrix([Float](repeating: 0, count: 5 * 384), columns: 384)
        batch.gather(.firstTokens, of: output, into: first)
        let pooledError = try relativeError(model.pooler.forward(first, batch).values, file.read("pooled"))
        #expect(pooledError < 1e-5)
        print("MiniLM, slices ending at \(cut): relative error \(error), pooled \(pooledError)")
    }
}
