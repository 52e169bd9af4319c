import Data
import Foundation
import TestSupport
import Testing

@testable import Training

/// A teacher's scores, from a run's checkpoint through mt-dnn's JSON lines into a student's training, in real jobs.
@Suite(.serialized) final class DistillationTests {
    private static let tasks = ["single", "score", "pair", "query"]
    private let run: SmallRun
    private let data: String

    init() throws {
        run = try SmallRun()
        data = "\(run.suite.folder)/json"
        let written = try mtdnn("prepare", run.suite.runFile, "--json-lines", data)
        try #require(written.status == 0, "\(written.error)")
    }

    deinit {
        do { try run.suite.remove() } catch { Issue.record(error) }
    }

    private func mtdnn(_ arguments: String...) throws -> JobResult {
        try runAlone(executable: "mtdnn", arguments: arguments)
    }

    /// Settings of a run on the JSON lines, with more keys for each task.
    private func settings(_ keys: [String: String] = [:]) throws -> [String] {
        let path = "\(run.suite.folder)/\(UUID().uuidString).yml"
        var lines = try String(contentsOfFile: "\(run.suite.folder)/tasks.yml", encoding: .utf8)
        for task in Self.tasks {
            lines = lines.replacingOccurrences(
                of: "\(task): {", with: "\(task): {format: json_lines, \(keys[task] ?? "")")
        }
        try lines.write(toFile: path, atomically: true, encoding: .utf8)
        return ["tasks=\(path)", "data=\(data)"]
    }

    /// Puts a teacher's scores into the training files.
    private func teach() throws {
        let teacher = run.newFolder()
        try #require(run.start(ranks: 2, ["epochs=1", "folder=\(teacher)"]).status == 0)
        for task in Self.tasks {
            let result = try mtdnn(
                "predict", teacher, "--task", task, "--split", "train", "--soft-labels", "--output",
                "\(data)/\(task)_train.json")
            try #require(result.status == 0, "\(result.error)")
        }
    }

    @Test func `JSON lines train as the texts that they were made of do`() throws {
        #expect(try run.finish(ranks: 2, settings()) == run.finish(ranks: 2))
    }

    @Test func `A student learns the same on any number of ranks and threads, and after a kill`() throws {
        try teach()
        let settings = try settings([
            "single": "kd_loss: SymKlCriterion, kd_temperature: 2, kd_weight: 3,", "pair": "kd_loss: KlCriterion,",
            "query": "kd_weight: 0.5,",
        ])
        let (alone, _, resumed) = try run.expectSameOutcome(settings)
        #expect(
            resumed.output.contains(
                "single learns from the soft labels of its training data, too: loss + 3.0 x SymKlCriterion at temperature 2.0"
            ))
        #expect(resumed.output.contains("loss + 1.0 x MseCriterion at temperature 1.0"))
        // Without them it is the run on the texts.
        let off = Dictionary(uniqueKeysWithValues: Self.tasks.map { ($0, "kd_weight: 0,") })
        let plain = try run.finish(ranks: 2)
        #expect(try run.finish(ranks: 2, self.settings(off)) == plain && plain != alone)
    }

    @Test func `Soft labels are the scores that predictions are made of`() throws {
        let teacher = run.newFolder()
        try #require(run.start(ranks: 1, ["epochs=1", "folder=\(teacher)"]).status == 0)
        func objects(_ arguments: [String]) throws -> [[String: Any]] {
            let result = try runAlone(executable: "mtdnn", arguments: ["predict", teacher] + arguments)
            return try result.output.split(separator: "\n").map { line in
                try #require(try JSONSerialization.jsonObject(with: Foundation.Data(line.utf8)) as? [String: Any])
            }
        }
        for task in Self.tasks {
            let taught = try objects(["--task", task, "--soft-labels"])
            let predicted = try objects(["--task", task, "--json"])
            try #require(taught.count == predicted.count && !taught.isEmpty)
            for (row, prediction) in zip(taught, predicted) {
                #expect(row["uid"] as? String == prediction["uid"] as? String)
                if let score = prediction["score"] as? Double {
                    #expect(row["softlabel"] as? Double == score)
                } else if let scores = prediction["scores"] as? [Double] {
                    #expect(row["softlabel"] as? [Double] == scores)
                } else {
                    let scores = try #require(row["softlabel"] as? [Double])
                    let shares = try #require(prediction["probabilities"] as? [Double])
                    let sum = scores.reduce(0) { $0 + exp($1) }
                    for (score, share) in zip(scores, shares) { #expect(abs(exp(score) / sum - share) < 1e-6) }
                }
            }
        }
        let refused = try mtdnn("predict", teacher, "--task", "single", "--soft-labels", "--json")
        #expect(refused.status == 64 && refused.error.contains("--soft-labels writes the rows of a split"))
    }

    @Test func `What cannot be distilled is said`() throws {
        let asked = try run.start(ranks: 1, settings(["single": "kd_temperature: 2,"]))
        #expect(
            asked.status == 78
                && asked.error.contains(
                    "task single has `kd_weight` or `kd_temperature`, but its training data have no softlabel: write them with"
                ), "\(asked.error)")
        try teach()
        for (task, loss) in [("single", "CeCriterion"), ("score", "KlCriterion")] {
            let wrong = try run.start(ranks: 1, settings([task: "kd_loss: \(loss),"]))
            #expect(
                wrong.error.contains("`kd_loss` of task \(task) is \(loss), which does not compare"), "\(wrong.error)")
        }
        let path = "\(data)/pair_train.json"
        var lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map(String.init)
        let softLabel = try #require(lines[3].range(of: ", \"softlabel\""))
        lines[3] = lines[3][..<softLabel.lowerBound] + "}"
        try lines.joined(separator: "\n").write(toFile: path, atomically: true, encoding: .utf8)
        let partial = try run.start(ranks: 1, settings())
        #expect(
            partial.status == 78
                && partial.error.contains("\(path): example \"pair-3\" has no softlabel, but 28 of 29 have one"),
            "\(partial.error)")
    }
}
