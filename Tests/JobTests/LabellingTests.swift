import Foundation
import Storage
import TestSupport
import Testing

@testable import Training

/// A task that labels words, beside one that classifies sentences, in real jobs.
@Suite(.serialized) final class LabellingTests {
    private let run: SmallRun
    private let settings: [String]

    init() throws {
        run = try SmallRun()
        settings = ["tasks=\(run.suite.folder)/words.yml", "train=[words, single]"]
        let tasks = """
            words: {n_class: 3, data_format: Seqence, task_type: SeqenceLabeling, metric_meta: [SeqEval, ACC], enable_san: false,
              labels: [O, B-X, I-X], loss: SeqCeCriterion}
            single: {n_class: 2, data_format: PremiseOnly, task_type: Classification, metric_meta: [ACC], enable_san: false}

            """
        try tasks.write(toFile: "\(run.suite.folder)/words.yml", atomically: true, encoding: .utf8)
        // A word's label follows from its number, so it can be learnt.
        var random = TestRandom(seed: 3)
        for (split, count) in [("train", 40), ("dev", 11)] {
            let rows = (0..<count).map { row -> String in
                let numbers = (0..<(row == 1 ? 60 : Int.random(in: 1...20, using: &random))).map { _ in
                    Int.random(in: 0..<60, using: &random)
                }
                let labels = numbers.map { "'\(["O", "B-X", "I-X"][$0 % 3])'" }.joined(separator: ", ")
                let words = numbers.map { "'w\($0)'" }.joined(separator: ", ")
                return "s\(row)\t[\(labels)]\t[\(words)]\n"
            }
            try rows.joined().write(
                toFile: "\(run.suite.folder)/words_\(split).tsv", atomically: true, encoding: .utf8)
        }
    }

    deinit {
        do { try run.suite.remove() } catch { Issue.record(error) }
    }

    private func mtdnn(_ arguments: String...) throws -> JobResult {
        try runAlone(executable: "mtdnn", arguments: arguments)
    }

    @Test func `Words are labelled alike on any number of ranks and threads, and after a kill`() throws {
        let (outcome, _, _) = try run.expectSameOutcome(settings)
        let scores = try outcome.entries(with: "metrics").compactMap { $0["metrics"] as? [String: Double] }
        #expect(scores.contains { $0["SeqEval"] != nil })
    }

    @Test func `What is learnt is predicted for files and for lines, and exported`() throws {
        let folder = run.newFolder()
        let result = try run.start(
            ranks: 2,
            settings + ["epochs=40", "learning_rate=1.0e-2", "dropout=0", "task_dropout=0", "folder=\(folder)"])
        try #require(result.status == 0, "\(result.error)")
        let ofSplit = try mtdnn("predict", folder, "--task", "words")
        let score = try #require(try RunHistory(path: "\(folder)/metrics.jsonl").best)
        let scores = try #require(
            try RunHistory(path: "\(folder)/metrics.jsonl").scores(task: "words", split: "dev", step: score.step))
        #expect(ofSplit.error.contains(String(format: "SeqEval %.4f  ACC %.4f", scores["SeqEval"]!, scores["ACC"]!)))
        #expect(scores["ACC"]! > 0.9, "a label follows from its word")

        let lines = try String(contentsOfFile: "\(run.suite.folder)/words_dev.tsv", encoding: .utf8).split(
            separator: "\n")
        let texts = lines.map { line in
            line.split(separator: "\t")[2].filter { !"[]',".contains($0) }
        }
        let input = "\(run.suite.folder)/texts"
        try texts.joined(separator: "\n").write(toFile: input, atomically: true, encoding: .utf8)
        let ofLines = try mtdnn("predict", folder, "--task", "words", "--input", input)
        func labels(_ result: JobResult) -> [Substring] {
            result.output.split(separator: "\n").map { $0.split(separator: "\t")[1] }
        }
        #expect(labels(ofLines) == labels(ofSplit) && labels(ofLines).count == 12, "\(ofLines.error)")
        for (found, text) in zip(labels(ofLines).dropFirst(), texts) {
            #expect(found.split(separator: " ").count == text.split(separator: " ").count)
        }

        let exported = "\(run.suite.folder)/exported"
        #expect(try mtdnn("export", folder, "--hugging-face", exported, "--task", "words").status == 0)
        let names = try SafeTensors("\(exported)/model.safetensors").names
        #expect(names.contains("classifier.weight") && !names.contains { $0.contains("pooler") })
        let configuration = try String(contentsOfFile: "\(exported)/config.json", encoding: .utf8)
        #expect(configuration.contains("\"BertForTokenClassification\"") && configuration.contains("\"B-X\""))
    }

    @Test func `A word that does not fit is said, not left out of an answer`() throws {
        let folder = run.newFolder()
        try #require(run.start(ranks: 1, settings + ["epochs=1", "max_length=40", "folder=\(folder)"]).status == 0)
        let input = "\(run.suite.folder)/texts"
        try Array(repeating: "w1", count: 50).joined(separator: " ").write(
            toFile: input, atomically: true, encoding: .utf8)
        let result = try mtdnn("predict", folder, "--task", "words", "--input", input)
        #expect(result.status == 1)
        #expect(result.error.contains("\(input):1: 50 words, of which 38 fit into the 40 tokens of `max_length`"))
    }
}
