import Foundation
import Storage
import TestSupport
import Testing

/// Ten steps over four tasks against transformers and torch: losses, norms before clipping, and all weights.
@Suite(.serialized) final class ReferenceTrainingTests {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("reference-\(UUID().uuidString)")
        .path

    init() throws { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) }

    deinit {
        do { try FileManager.default.removeItem(atPath: folder) } catch { Issue.record(error) }
    }

    @Test(arguments: [1, 2, 3])
    func `Training follows the reference program`(ranks: Int) throws {
        let result = try runJob(ranks: ranks, executable: "TrainingSelfTest", arguments: ["reference", folder])
        try #require(result.status == 0, "\(result.error)")
        let steps = result.output.split(separator: "\n").map { $0.split(separator: " ").compactMap { Double($0) } }
        let reference = try SafeTensors(References.path("training.safetensors"))
        let losses = try reference.read("losses")
        let norms = try reference.read("norms")
        try #require(steps.count == losses.count && steps.allSatisfy { $0.count == 2 })
        for (step, found) in steps.enumerated() {
            #expect(abs(found[0] / Double(losses[step]) - 1) <= 1e-4, "loss of step \(step)")
            #expect(abs(found[1] / Double(norms[step]) - 1) <= 1e-4, "norm of step \(step)")
        }
        #expect(norms.contains { $0 > 1 })

        let last = try SafeTensors(References.path("training-final.safetensors"))
        let found = try SafeTensors("\(folder)/final-\(ranks).safetensors")
        let names = found.names.filter { !hasNoGradient($0) }
        #expect(names.contains("pooler.dense.weight"))
        for name in names {
            let values = try found.read(name)
            let expected = try last.read("parameters.\(name)")
            let difference = zip(values, expected).map { abs($0 - $1) }.max() ?? .infinity
            #expect(difference <= 5e-5, "\(name)")
        }
    }
}
