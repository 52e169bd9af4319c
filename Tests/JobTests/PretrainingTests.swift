import Foundation
import Storage
import TestSupport
import Testing

@testable import Training

/// A task of masked words and next sentences, beside one that classifies sentences, in real jobs.
@Suite(.serialized) final class PretrainingTests {
    private let run: SmallRun
    private let settings: [String]
    private var folder: String { run.suite.folder }

    init() throws {
        run = try SmallRun()
        let folder = run.suite.folder
        settings = ["tasks=\(folder)/pretraining.yml", "train=[text, single]", "encoder.vocab=\(folder)/pieces.txt"]
        let pieces =
            ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", "##x", "##y"] + (0..<60).map { "w\($0)" }
            + (0..<40).map { "unmet\($0)" }
        let tasks = """
            text: {n_class: \(pieces.count), data_format: MLM, task_type: MaskLM, metric_meta: [ACC, NextACC], enable_san: false,
              loss: MlmCriterion, format: text, whole_word_masking: true, loss_weight: 0.5}
            single: {n_class: 2, data_format: PremiseOnly, task_type: Classification, metric_meta: [ACC], enable_san: false}

            """
        // A document's words are neighbours by number, so what is masked and what follows can be told.
        var random = TestRandom(seed: 4)
        func text(_ documentCount: Int) -> String {
            (0..<documentCount).map { _ in
                let first = Int.random(in: 0..<50, using: &random)
                return (0..<Int.random(in: 2...6, using: &random)).map { _ in
                    let words = (0..<Int.random(in: 1...14, using: &random)).map { _ in
                        "w\(first + Int.random(in: 0..<10, using: &random))" + ["", "", "x", "xy"].randomElement(
                            using: &random)!
                    }
                    return words.joined(separator: " ") + ".\n"
                }.joined()
            }.joined(separator: "\n")
        }
        let files = [
            "pieces.txt": pieces.joined(separator: "\n"), "pretraining.yml": tasks, "text_train.txt": text(30),
            "text_dev.txt": text(9),
        ]
        for (name, text) in files { try text.write(toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8) }
    }

    deinit {
        do { try run.suite.remove() } catch { Issue.record(error) }
    }

    private func mtdnn(_ arguments: String...) throws -> JobResult { try mtdnn(arguments) }

    private func mtdnn(_ arguments: [String]) throws -> JobResult {
        try runAlone(executable: "mtdnn", arguments: arguments)
    }

    @Test func `mtdnn train ends with a table, also of tasks that no baseline is made for`() throws {
        let result = try mtdnn(
            ["train", run.suite.runFile, "--folder", run.newFolder()]
                + (settings + ["epochs=1"]).flatMap { ["--set", $0] })
        #expect(result.status == 0, "\(result.error)")
        let rows = result.output.split(separator: "\n").map { $0.split(separator: " ") }
        let losses = rows.filter { $0.starts(with: ["text", "MaskedLoss"]) }
        #expect(losses.count == 1 && losses[0].count == 6 && losses[0][2] == "-" && Double(losses[0][5]) ?? 0 > 1)
        #expect(rows.contains { $0.starts(with: ["single", "ACC"]) && Double($0[2]) != nil })
    }

    @Test func `Pre-training is the same on any number of ranks, threads and hosts, and after a kill`() throws {
        let (alone, _, _) = try run.expectSameOutcome(settings)
        let scores = try alone.entries(with: "metrics").compactMap { $0["metrics"] as? [String: Double] }
        #expect(scores.contains { $0["MaskedLoss"] ?? 0 > 1 && $0["NextACC"] != nil && $0["ACC"] != nil })
        #expect(try run.finish(ranks: 2, settings + ["gradient_accumulation=3"]) == alone)
    }

    @Test func `A vocabulary is learnt from a text, and an encoder begins with it`() throws {
        let path = "\(folder)/learnt.txt"
        let learnt = try mtdnn("vocabulary", "\(folder)/text_train.txt", "--size", "108", "--output", path)
        #expect(learnt.status == 0, "\(learnt.error)")
        let pieces = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
        #expect(pieces.count == 108 && pieces.first == "[PAD]" && pieces.contains("##xy"))
        #expect(learnt.error.hasPrefix("108 pieces from "))
        let outcome = try run.finish(ranks: 2, settings[0], settings[1], "encoder.vocab=\(path)", "epochs=1")
        #expect(try outcome.entries(with: "metrics").count == 2)
        let refused = try mtdnn("vocabulary", "\(folder)/text_train.txt", "--size", "9", "--output", path)
        #expect(refused.status == 1 && refused.error.contains("--size 9: the special tokens and the characters"))
        #expect(try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n") == pieces)
    }

    @Test func `All embeddings travel between hosts`() throws {
        let alone = try run.weights(ranks: 1, settings[0], settings[1], settings[2])
        let found = try run.weights(ranks: 5, ranksPerHost: 2, settings[0], settings[1], settings[2])
        #expect(found == alone)
    }

    @Test func `The head is exported under its names in transformers, and another run begins with it`() throws {
        let folder = run.newFolder()
        let first = try run.start(ranks: 2, settings + ["folder=\(folder)", "epochs=1"])
        #expect(first.status == 0, "\(first.error)")
        #expect(!first.output.contains("no head for masked words"), "nothing was looked for")
        let exported = "\(self.folder)/exported"
        #expect(try mtdnn("export", folder, "--hugging-face", exported, "--task", "text").status == 0)
        let names = try SafeTensors("\(exported)/model.safetensors").names
        #expect(
            names.filter { $0.hasPrefix("cls.") }.sorted() == [
                "cls.predictions.bias", "cls.predictions.transform.LayerNorm.bias",
                "cls.predictions.transform.LayerNorm.weight", "cls.predictions.transform.dense.bias",
                "cls.predictions.transform.dense.weight", "cls.seq_relationship.bias", "cls.seq_relationship.weight",
            ])
        #expect(names.contains("bert.pooler.dense.weight") && names.allSatisfy { !$0.hasPrefix("heads.") })
        let configuration = try String(contentsOfFile: "\(exported)/config.json", encoding: .utf8)
        #expect(configuration.contains("\"BertForPreTraining\""))

        // What the first run ended with is what this one is scored by before it learns anything.
        let last = try #require(try RunHistory(path: "\(folder)/metrics.jsonl").scores(task: "text", split: "dev"))
        let runFile = "\(self.folder)/second.yml"
        let text = try String(contentsOfFile: run.suite.runFile, encoding: .utf8).split(separator: "\n")
        let lines =
            ["encoder: {from: \(exported)}"] + text.filter { !$0.hasPrefix("encoder:") && !$0.contains("max_position") }
        try lines.joined(separator: "\n").write(toFile: runFile, atomically: true, encoding: .utf8)
        let second = run.newFolder()
        let overrides = [settings[0], settings[1], "folder=\(second)", "epochs=1", "learning_rate=1.0e-30"]
        let result = try runJob(
            ranks: 2, executable: "mtdnn-worker", arguments: [runFile] + overrides.flatMap { ["--set", $0] })
        #expect(result.status == 0 && !result.output.contains("random values"), "\(result.output)\(result.error)")
        let scores = try #require(try RunHistory(path: "\(second)/metrics.jsonl").scores(task: "text", split: "dev"))
        #expect(scores == last)
    }

    @Test func `Questions to pre-training, and an encoder of other word pieces, are refused with the cure`() throws {
        let folder = run.newFolder()
        try #require(run.start(ranks: 1, settings + ["folder=\(folder)", "epochs=1"]).status == 0)
        let predicted = try mtdnn("predict", folder, "--task", "text")
        #expect(predicted.status == 1 && predicted.error.contains("task text is for pre-training and answers nothing"))
        #expect(try mtdnn("predict", folder, "--task", "single").status == 0)
        let refused = try run.start(ranks: 1, Array(settings.prefix(2)))
        #expect(refused.status == 78)
        #expect(refused.error.contains("`n_class` of task text is 108, and the encoder of"))
        #expect(refused.error.contains("has 265 word pieces to be told: it must be the same number"))
    }

    #if os(Linux)
        @Test(
            .enabled(if: PreloadedLibrary.compiler != nil, "there is no C compiler `cc` for the library that counts"),
            arguments: [1, 2])
        func `A step of pre-training allocates nothing`(ranks: Int) throws {
            let result = try runJob(
                ranks: ranks, executable: "TrainingSelfTest",
                arguments: ["allocations", run.suite.runFile, "epochs=3"] + settings,
                environment: [
                    "LD_PRELOAD": try PreloadedLibrary.compile("Allocations/count_allocations.c", into: folder)
                ])
            try #require(result.status == 0, "\(result.error)")
            let steps = result.output.split(separator: "\n").filter { $0.hasPrefix("step ") }
            let late = steps.filter { !$0.hasPrefix("step 1 ") && !$0.hasPrefix("step 2 ") }
            #expect(late.count { $0.contains("of task 0:") } > 20 * ranks)
            #expect(late.filter { !$0.hasSuffix(": 0") } == [])
        }
    #endif
}
