import Data
import Foundation
import Testing

@testable import Training

/// The demo is no keyword game: what only counts words fails where order and both sides matter.
@Suite struct BaselineDemoTests {
    @Test(arguments: [1, 2018] as [UInt64]) func bagOfWordsFailsOnTheDemo(seed: UInt64) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("demo-\(UUID().uuidString)")
        try DemoSuite.write(to: folder.path, seed: seed)
        defer {
            do { try FileManager.default.removeItem(at: folder) } catch { Issue.record(error) }
        }
        let sentiment = try task("sentiment", .classification(classCount: 2), ["negative", "positive"], in: folder)
        let entailment = try task(
            "entailment", .classification(classCount: 3), ["contradiction", "neutral", "entailment"], in: folder)
        let answers = try task("answers", .ranking, [], in: folder)

        for task in [sentiment, entailment, answers] {
            #expect(try #require(task.bagOfWords().scores["ACC"]) < 0.60)
            #expect(try #require(task.majority().scores["ACC"]) < 0.60)
        }
        for task in [entailment, answers] {
            #expect(try #require(task.wordOverlap()?.scores["ACC"]) < 0.60)
        }
    }

    private func task(_ name: String, _ kind: BaselineTask.Kind, _ labels: [String], in folder: URL) throws
        -> BaselineTask
    {
        func examples(_ split: String) throws -> [Example] {
            let text = try String(contentsOf: folder.appendingPathComponent("\(name)_\(split).tsv"), encoding: .utf8)
            return try text.split(separator: "\n").map { line in
                let row = line.components(separatedBy: "\t")
                if kind == .ranking {
                    let positive = try #require(row[2].split(separator: ",").firstIndex(of: "1"))
                    return Example(uid: row[0], first: row[3], second: Array(row[4...]), label: Float(positive))
                }
                let label = try #require(labels.firstIndex(of: row[1]))
                return Example(uid: row[0], first: row[2], second: Array(row[3...]), label: Float(label))
            }
        }
        return BaselineTask(kind: kind, mainMetric: "ACC", train: try examples("train"), dev: try examples("dev"))
    }
}
