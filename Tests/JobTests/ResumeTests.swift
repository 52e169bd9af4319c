import Foundation
import Storage
import TestSupport
import Testing

@testable import Training

/// A run that was cut off goes on from its newest whole checkpoint, on any number of ranks, as if it had never stopped.
@Suite(.serialized) final class ResumeTests {
    private let run: SmallRun
    private let folder: String
    private let settings = ["checkpoint_steps=7", "keep_last=9"]

    init() throws {
        run = try SmallRun()
        folder = run.newFolder()
    }

    deinit {
        do { try run.suite.remove() } catch { Issue.record(error) }
    }

    private func interrupt(ranks: Int, signal: String, afterStep step: Int, where condition: String = "true") throws
        -> JobResult
    {
        try run.interrupt(
            ranks: ranks, settings + ["folder=\(folder)"], signal: signal,
            at: "\(folder)/checkpoints/\(Self.name(step))", where: condition)
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

    @Test(arguments: ["shard-001-of-002.h5", "model.h5", "manifest.json"], ["flipped", "cut", "deleted", "swapped"])
    func `A damaged checkpoint is named and passed over`(file: String, damage: String) throws {
        // The views of two checkpoints are equal: names and shapes.
        if file == "model.h5", damage == "swapped" { return }
        _ = try interrupt(ranks: 2, signal: "USR1", afterStep: 14)
        let checkpoints = try FileManager.default.contentsOfDirectory(atPath: "\(folder)/checkpoints").sorted()
        let newest = try #require(checkpoints.last)
        let path = "\(folder)/checkpoints/\(newest)/\(file)"
        var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        switch damage {
        case "flipped": bytes[bytes.count / 2] ^= 1
        case "cut": bytes.removeLast()
        case "swapped":
            let before = "\(folder)/checkpoints/\(checkpoints[checkpoints.count - 2])/\(file)"
            bytes = try Data(contentsOf: URL(fileURLWithPath: before))
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
        let outcome = try run.outcome(of: folder)
        let again = try goOn(ranks: 1)
        #expect(again.output.contains("is finished") && !again.output.contains("passed over"))
        #expect(try run.outcome(of: folder) == outcome, "the sums of a finished run stay in its log")
        #expect(FileManager.default.fileExists(atPath: "\(last).damaged"))
    }

    @Test func `Where no checkpoint is whole the run does not begin anew by itself`() throws {
        _ = try goOn(ranks: 2)
        for entry in try FileManager.default.contentsOfDirectory(atPath: "\(folder)/checkpoints") {
            try FileManager.default.removeItem(atPath: "\(folder)/checkpoints/\(entry)/manifest.json")
        }
        let before = try run.outcome(of: folder)
        let refused = try run.start(ranks: 2, settings + ["folder=\(folder)"])
        #expect(refused.status == 78)
        let errors = refused.error.split(separator: "\n").filter { $0.hasPrefix("mtdnn-worker: ") }
        try #require(errors.count == 1)
        #expect(
            errors[0].hasPrefix("mtdnn-worker: none of the checkpoints in \(folder)/checkpoints is whole (the newest"))
        #expect(errors[0].hasSuffix("; move them away to begin the run anew"))
        #expect(try run.outcome(of: folder) == before)
    }

    @Test func `Parts of a share may change when a run goes on, unless its bits depend on them`() throws {
        for (reproducible, code) in [("across_rank_counts", Int32(0)), ("per_rank_count", 78)] {
            let parts = ["epochs=1", "reproducible=\(reproducible)", "folder=\(run.newFolder())"]
            #expect(try run.start(ranks: 1, parts).status == 0)
            let changed = try run.start(ranks: 1, parts + ["gradient_accumulation=2"])
            #expect(changed.status == code, "\(changed.error)")
            #expect(changed.error.contains("gradient_accumulation: 1 -> 2") == (code != 0))
        }
    }

    @Test func `Another number of ranks is told of where bits depend on it`() throws {
        for reproducible in ["across_rank_counts", "per_rank_count"] {
            let parts = ["reproducible=\(reproducible)", "folder=\(run.newFolder())"]
            #expect(try run.start(ranks: 1, parts + ["epochs=1"]).status == 0)
            let resumed = try run.start(ranks: 2, parts + ["epochs=2"])
            #expect(resumed.status == 0, "\(resumed.error)")
            let sentence = "is of a run with ranks: 1, which goes on with 2; under `reproducible: per_rank_count`"
            #expect((resumed.output + resumed.error).contains(sentence) == (reproducible == "per_rank_count"))
        }
    }

    @Test func `Other settings on the folder of a run are refused, and all differences listed`() throws {
        _ = try interrupt(ranks: 2, signal: "USR1", afterStep: 7)
        let log = try run.outcome(of: folder)
        let others = ["learning_rate=0.5", "epochs=1", "dropout=0.2", "keep_last=1"]
        let refused = try run.start(ranks: 2, settings + others + ["folder=\(folder)"])
        #expect(refused.status == 78)
        let errors = refused.error.split(separator: "\n").filter { $0.hasPrefix("mtdnn-worker: ") }
        #expect(
            errors == [
                "mtdnn-worker: \(folder) holds a run with other settings (epochs: 2 -> 1; learning_rate: 0.001 -> 0.5; "
                    + "dropout: 0.1 -> 0.2); use those settings, or another --folder; only "
                    + "\(RunSettings.changeableKeys.union(RunSettings.places).sorted().joined(separator: ", ")) may change, and epochs grow"
            ])
        #expect(try run.outcome(of: folder) == log)
    }

    @Test func `A run that failed before its first checkpoint begins anew with settings that are mended`() throws {
        let failed = try run.start(ranks: 1, settings + ["folder=\(folder)", "learning_rate=1e30"])
        #expect(failed.status == 65 && FileManager.default.fileExists(atPath: "\(folder)/run.yml"), "\(failed.error)")
        let mended = try run.start(ranks: 1, settings + ["folder=\(folder)"])
        #expect(mended.status == 0, "\(mended.error)")
        #expect(try run.outcome(of: folder) == run.finish(ranks: 1))
    }

    @Test func `A run goes on where it was moved to, and not with other data there`() throws {
        let whole = try run.finish(ranks: 1)
        _ = try interrupt(ranks: 2, signal: "USR1", afterStep: 7)
        let place = "\(run.suite.folder).moved"
        defer {
            do { try FileManager.default.removeItem(atPath: place) } catch { Issue.record(error) }
        }
        try FileManager.default.copyItem(atPath: run.suite.folder, toPath: place)
        // Nothing is where it was.
        let before = "\(run.suite.folder).before"
        try FileManager.default.moveItem(atPath: run.suite.folder, toPath: before)
        let moved = folder.replacingOccurrences(of: run.suite.folder, with: place)
        let result = try runJob(
            ranks: 3, executable: "mtdnn-worker",
            arguments: ["\(place)/run.yml"] + (settings + ["folder=\(moved)"]).flatMap { ["--set", $0] })
        try FileManager.default.moveItem(atPath: before, toPath: run.suite.folder)
        #expect(result.status == 0 && result.output.contains("goes on from the checkpoint"), "\(result.error)")
        #expect(try run.outcome(of: moved) == whole)

        let data = "\(place)/single_train.tsv"
        let text = try String(contentsOfFile: data, encoding: .utf8)
        try text.replacingOccurrences(of: "w1 ", with: "w2 ").write(toFile: data, atomically: true, encoding: .utf8)
        let refused = try runJob(
            ranks: 1, executable: "mtdnn-worker",
            arguments: ["\(place)/run.yml"] + (settings + ["folder=\(moved)"]).flatMap { ["--set", $0] })
        #expect(refused.status == 78)
        #expect(
            refused.error.contains(
                "\(moved) holds a run with other task definitions or data (single); use those, or another --folder"))
    }

    @Test func `A finished run goes on with more epochs, as one that was stopped there and given more`() throws {
        let finished = try goOn(ranks: 2)
        #expect(finished.output.contains("goes on") == false)
        let again = try goOn(ranks: 2)
        #expect(again.output.contains("the run in \(folder) is finished; more `epochs` would go on with it"))
        let extended = try run.start(ranks: 1, settings + ["epochs=3", "folder=\(folder)"])
        #expect(extended.output.contains("goes on from the checkpoint of step \(SmallSuite.stepCount)"))
        let outcome = try run.outcome(of: folder)
        #expect(try outcome.numbers("loss").count == 57)
        #expect(try outcome.entries(with: "parameters_sha256").count == 1)
        // The rate of the longer schedule from there on: neither zero, as at the end of the shorter, nor warming up again.
        let rates = try outcome.numbers("learning_rate")
        #expect(abs(rates[38] - 1e-3 * (1 - (38.0 - 5) / (57 - 5))) < 1e-9)
        let stopped = run.newFolder()
        let shorter = try run.start(ranks: 3, settings + ["folder=\(stopped)"])
        #expect(shorter.status == 0)
        #expect(try run.start(ranks: 3, settings + ["epochs=3", "folder=\(stopped)"]).status == 0)
        #expect(try run.outcome(of: stopped) == outcome)
    }

    @Test func `The best checkpoint stays beside the newest, also through a stop`() throws {
        let long = ["epochs=6", "keep_last=1", "learning_rate=1e-2", "schedule=constant"]
        let whole = run.newFolder()
        #expect(try run.start(ranks: 2, long + ["folder=\(whole)"]).status == 0)
        let scores = try RunHistory(path: "\(whole)/metrics.jsonl").meanScores
        #expect(scores.map(\.step) == [19, 38, 57, 76, 95, 114])
        let best = try #require(scores.min { ($1.score, $0.step) < ($0.score, $1.step) })
        // Otherwise this test would show nothing.
        try #require(best.step < 114, "\(scores)")
        #expect(try CheckpointFolder(run: whole).entries().map(\.step) == [114, best.step])
        #expect(try CheckpointFolder(run: whole).bestWhole { _ in }?.manifest.score == best.score)
        let lines = try run.outcome(of: whole).entries(with: "metrics").prefix(4)
        let first = try lines.map { line in
            let metrics = try #require(line["metrics"] as? [String: Double])
            return try #require(metrics["Pearson"] ?? metrics["AccuracyAt1"] ?? metrics["ACC"])
        }
        #expect(abs(scores[0].score - first.reduce(0, +) / 4) < 1e-15)

        for epochs in 1...6 {
            let result = try run.start(
                ranks: 3, ["epochs=\(epochs)"] + long.dropFirst() + ["folder=\(folder)"])
            #expect(result.status == 0, "\(result.error)")
        }
        let parts = try RunHistory(path: "\(folder)/metrics.jsonl").meanScores
        let bestOfParts = try #require(parts.min { ($1.score, $0.step) < ($0.score, $1.step) })
        #expect(try CheckpointFolder(run: folder).entries().map(\.step) == Set([114, bestOfParts.step]).sorted(by: >))
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
