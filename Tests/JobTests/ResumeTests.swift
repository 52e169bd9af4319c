import Foundation
import Storage
import TestSupport
import Testing

/// A run that was cut off goes on from its newest whole checkpoint, on any number of ranks, as if it had never stopped.
@Suite(.serialized) struct ResumeTests {
    private let run: SmallRun
    private let folder: String
    private let settings = ["checkpoint_steps=7", "keep_last=9"]

    init() throws {
        run = try SmallRun()
        folder = run.newFolder()
    }

    /// Trains until a checkpoint is there, then sends a signal to the ranks that `condition` (of a shell) holds for.
    private func interrupt(ranks: Int, signal: String, afterStep step: Int, where condition: String = "true") throws
        -> JobResult
    {
        let checkpoint = "\(folder)/checkpoints/\(Self.name(step))"
        let worker =
            [productPath("mtdnn-worker"), run.suite.runFile]
            + (settings + ["folder=\(folder)"]).flatMap { ["--set", $0] }
        let script = """
            if \(condition); then
                (until [ -d "\(checkpoint)" ]; do sleep 0.01; done; kill -\(signal) $$) >/dev/null 2>&1 &
            fi
            exec "$@"
            """
        return try runJob(ranks: ranks, executable: "/bin/sh", arguments: ["-c", script, "sh"] + worker)
    }

    private static func name(_ step: Int) -> String { String(format: "step-%08d", step) }

    private func goOn(ranks: Int) throws -> JobResult {
        let result = try run.start(ranks: ranks, settings + ["folder=\(folder)"])
        try #require(result.status == 0, "\(result.error)")
        return result
    }

    @Test(arguments: [(1, 3), (2, 5), (3, 2)])
    func `Killed on some ranks and resumed on others, a run ends with the same bits`(first: Int, second: Int) throws {
        let whole = try run.finish(ranks: 1)
        let killed = try interrupt(ranks: first, signal: "KILL", afterStep: 14)
        #expect(killed.status != 0)
        let resumed = try goOn(ranks: second)
        #expect(resumed.output.contains("goes on from the checkpoint of step"))
        #expect(try run.outcome(of: folder) == whole)
    }

    @Test func `A rank that is asked to stop makes all stop, with a checkpoint and the code that means resume me`()
        throws
    {
        let whole = try run.finish(ranks: 1)
        let stopped = try interrupt(ranks: 3, signal: "USR1", afterStep: 7, where: "[ $OMPI_COMM_WORLD_RANK = 1 ]")
        #expect(stopped.status == 75)
        #expect(stopped.output.contains("as asked; the same command goes on from there"))
        _ = try goOn(ranks: 2)
        #expect(try run.outcome(of: folder) == whole)
    }

    @Test(arguments: ["shard-001-of-002.h5", "model.h5", "manifest.json"], ["flipped", "cut", "deleted"])
    func `A damaged checkpoint is named and passed over`(file: String, damage: String) throws {
        _ = try interrupt(ranks: 2, signal: "USR1", afterStep: 14)
        let checkpoints = try FileManager.default.contentsOfDirectory(atPath: "\(folder)/checkpoints").sorted()
        let newest = try #require(checkpoints.last)
        let path = "\(folder)/checkpoints/\(newest)/\(file)"
        var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        switch damage {
        case "flipped": bytes[bytes.count / 2] ^= 1
        case "cut": bytes.removeLast()
        default: break
        }
        try FileManager.default.removeItem(atPath: path)
        if damage != "deleted" { try bytes.write(to: URL(fileURLWithPath: path)) }
        let resumed = try goOn(ranks: 1)
        #expect(resumed.output.contains("passed over a checkpoint: "))
        #expect(resumed.output.contains("\(newest)/\(file)"))
        #expect(try run.outcome(of: folder) == run.finish(ranks: 1))
    }

    @Test func `A damaged checkpoint makes room for the one that is written in its place`() throws {
        _ = try goOn(ranks: 2)
        let last = "\(folder)/checkpoints/\(Self.name(SmallSuite.stepCount))"
        try FileManager.default.removeItem(atPath: "\(last)/shard-000-of-002.h5")
        #expect(try goOn(ranks: 1).output.contains("passed over a checkpoint: "))
        let again = try goOn(ranks: 1)
        #expect(again.output.contains("is finished") && !again.output.contains("passed over"))
        #expect(FileManager.default.fileExists(atPath: "\(last).damaged"))
    }

    @Test func `Other settings on the folder of a run are refused, and the differences listed`() throws {
        _ = try interrupt(ranks: 2, signal: "USR1", afterStep: 7)
        let refused = try run.start(ranks: 2, settings + ["folder=\(folder)", "learning_rate=0.5"])
        #expect(refused.status != 0)
        #expect(refused.error.contains("holds a run with other settings (learning_rate: "))
    }

    @Test func `model.h5 shows every parameter whole, and NaN where a shard is missing`() throws {
        _ = try interrupt(ranks: 3, signal: "USR1", afterStep: 7)
        let checkpoint = "\(folder)/checkpoints/\(Self.name(7))"
        let name = "parameters/embeddings.word_embeddings.weight"
        let whole = try Self.read(name, "\(checkpoint)/model.h5")
        let parts = try (0..<3).map { try Self.read(name, "\(checkpoint)/shard-00\($0)-of-003.h5") }
        #expect(!whole.isEmpty && whole == parts.flatMap { $0 })
        try FileManager.default.removeItem(atPath: "\(checkpoint)/shard-001-of-003.h5")
        let damaged = try Self.read(name, "\(checkpoint)/model.h5")
        let missing = parts[0].count..<(parts[0].count + parts[1].count)
        #expect(damaged.indices.allSatisfy { missing.contains($0) ? damaged[$0].isNaN : damaged[$0] == whole[$0] })
    }

    private static func read(_ dataset: String, _ path: String) throws -> [Float] {
        let file = try HDF5File(reading: path)
        let values = try file.read(dataset, as: Float.self)
        try file.close()
        return values
    }
}
