import Foundation
import Storage
import TestSupport
import Testing

@testable import Training

/// A new run from another run's weights: refine on some tasks, then fine-tune on others.
@Suite(.serialized) final class InitializeTests {
    private let run: SmallRun

    init() throws { run = try SmallRun() }

    deinit {
        do { try run.suite.remove() } catch { Issue.record(error) }
    }

    /// Trains a first run and gives its folder.
    private func refine(_ settings: String...) throws -> String {
        let folder = run.newFolder()
        let result = try run.start(ranks: 3, settings + ["epochs=1", "folder=\(folder)"])
        try #require(result.status == 0, "\(result.error)")
        return folder
    }

    /// Starts a second run that makes no step of any size, so that its last checkpoint holds its first values.
    private func start(from checkpoint: String, ranks: Int = 2, _ settings: String...) throws -> (JobResult, String) {
        let folder = run.newFolder()
        let still = ["epochs=1", "learning_rate=1e-30", "weight_decay=0", "folder=\(folder)"]
        let result = try run.start(ranks: ranks, still + ["initialize.checkpoint=\(checkpoint)"] + settings)
        return (result, folder)
    }

    private func weights(_ folder: String) throws -> [String: [Float]] {
        let checkpoint = try #require(CheckpointFolder(run: folder).newestWhole { Issue.record("\($0)") })
        var weights: [String: [Float]] = [:]
        try checkpoint.forEachPart { file, part in
            weights[part.name, default: []] += try file.read("parameters/\(part.name)", as: Float.self)
        }
        return weights
    }

    @Test(arguments: [false, true])
    func `A new run begins with encoder and pooler of another, with its heads if asked, at step 0`(heads: Bool) throws {
        let first = try refine("train=[single, score]")
        let (result, folder) = try start(from: first, "train=[score, pair]", "initialize.heads=\(heads)")
        try #require(result.status == 0, "\(result.error)")
        let path = "\(first)/checkpoints/step-00000011"
        #expect(result.output.contains("initialize: \(first): takes step 11, the best whole checkpoint"))
        #expect(
            result.output.contains(
                "initialize: encoder and pooler of step 11 of \(path)\(heads ? ", and heads: score" : "")\n"))
        #expect(!result.output.contains("goes on from"))
        let (old, new) = (try weights(first), try weights(folder))
        let fresh = try weights(
            try { () throws -> String in
                let folder = run.newFolder()
                let still = ["epochs=1", "learning_rate=1e-30", "weight_decay=0", "train=[score, pair]"]
                try #require(run.start(ranks: 2, still + ["folder=\(folder)"]).status == 0)
                return folder
            }())
        #expect(new.keys.sorted() == fresh.keys.sorted())
        for (name, values) in new {
            let isTaken = !name.hasPrefix("heads.") || heads && name.hasPrefix("heads.score.")
            let expected = try #require(isTaken ? old[name] : fresh[name])
            // Biases that begin at zero have moved by rates of 1e-30.
            #expect(zip(values, expected).allSatisfy { abs($0 - $1) <= 1e-28 }, "\(name)")
        }
        #expect(new["pooler.dense.weight"] != fresh["pooler.dense.weight"])
        #expect(try run.outcome(of: folder).numbers("loss").count == 10)
    }

    @Test func `The result does not depend on ranks, nor on whether the first run is still there when it goes on`()
        throws
    {
        let first = try refine()
        let settings = ["initialize.checkpoint=\(first)", "initialize.heads=true", "checkpoint_steps=7"]
        let whole = run.newFolder()
        try #require(run.start(ranks: 1, settings + ["folder=\(whole)"]).status == 0)
        let parts = run.newFolder()
        try #require(run.start(ranks: 3, settings + ["folder=\(parts)", "epochs=1"]).status == 0)
        try FileManager.default.removeItem(atPath: first)
        let result = try run.start(ranks: 2, settings + ["folder=\(parts)", "epochs=1"])
        #expect(result.status == 0 && result.output.contains("is finished"))
        // The first run is needed once only; the two agree up to where their schedules part.
        #expect(try run.outcome(of: whole).numbers("loss")[0] == run.outcome(of: parts).numbers("loss")[0])
        #expect(try run.outcome(of: whole).numbers("loss")[0] != Self.lossWithout(run))
    }

    private static func lossWithout(_ run: SmallRun) throws -> Double {
        try run.finish(ranks: 1, "epochs=1").numbers("loss")[0]
    }

    @Test func `What does not fit is refused by name`() throws {
        let first = try refine("train=[single]")
        let cases = [
            ("encoder.intermediate_size=128", "intermediate_size is 64, and 128 in this run"),
            ("encoder.num_attention_heads=2", "num_attention_heads is 4, and 2 in this run"),
            ("encoder.num_hidden_layers=3", "num_hidden_layers is 2, and 3 in this run"),
        ]
        for (setting, difference) in cases {
            let (result, _) = try start(from: first, setting)
            #expect(result.status == 78)
            let errors = result.error.split(separator: "\n").filter { $0.hasPrefix("mtdnn-worker: ") }
            #expect(
                errors == [
                    "mtdnn-worker: `initialize`: \(first)/checkpoints/step-00000006: \(difference); "
                        + "take `encoder` as that run has it"
                ])
        }
        // As many words, but others.
        let words = try String(contentsOfFile: "\(run.suite.folder)/vocab.txt", encoding: .utf8)
        try words.replacing("w7\n", with: "other\n").write(
            toFile: "\(run.suite.folder)/other.txt", atomically: true, encoding: .utf8)
        let (other, _) = try start(from: first, "encoder.vocab=\(run.suite.folder)/other.txt")
        #expect(other.error.contains("/step-00000006: was trained with another vocabulary; take `encoder` as"))
        let (missing, _) = try start(from: "\(first)/nowhere")
        #expect(missing.error.contains("\(first)/nowhere: is neither a checkpoint nor a run folder with a whole one"))
    }

    @Test func `A damaged checkpoint gives nothing: of a run the whole one before, by its own path none`() throws {
        let first = try refine("train=[single]", "checkpoint_steps=3", "keep_last=9")
        let newest = "\(first)/checkpoints/step-00000006"
        try Data().write(to: URL(fileURLWithPath: "\(newest)/shard-001-of-003.h5"))
        let (result, _) = try start(from: first)
        #expect(result.status == 0)
        #expect(
            result.output.contains("initialize: passed over a checkpoint: \(newest)/shard-001-of-003.h5: is damaged"))
        #expect(result.output.contains("initialize: \(first): takes step 3, the newest whole checkpoint"))
        let (refused, _) = try start(from: newest)
        #expect(
            refused.status == 78 && refused.error.contains("\(newest)/shard-001-of-003.h5: is damaged: it has 0 bytes"))
    }
}
