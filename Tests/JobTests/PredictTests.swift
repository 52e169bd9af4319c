import Data
import Foundation
import Storage
import TestSupport
import Testing

@testable import Training

/// `mtdnn predict` and `mtdnn export --hugging-face` on the checkpoint of a real run with all four heads.
@Suite(.serialized) final class PredictTests {
    private let run: SmallRun
    private let folder: String

    init() throws {
        run = try SmallRun()
        folder = run.newFolder()
        try #require(run.start(ranks: 2, ["epochs=1", "folder=\(folder)"]).status == 0)
    }

    deinit {
        do { try run.suite.remove() } catch { Issue.record(error) }
    }

    private func mtdnn(_ arguments: [String]) throws -> JobResult {
        try runAlone(executable: "mtdnn", arguments: arguments)
    }

    private func predict(_ arguments: String...) throws -> JobResult { try mtdnn(["predict", folder] + arguments) }

    /// The fields of the rows of a development file.
    private func rows(_ task: String) throws -> [[String]] {
        try String(contentsOfFile: "\(run.suite.folder)/\(task)_dev.tsv", encoding: .utf8).split(separator: "\n")
            .map { $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init) }
    }

    private func write(_ text: String) throws -> String {
        let path = "\(run.suite.folder)/\(UUID().uuidString)"
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }

    @Test(arguments: ["single", "score", "pair", "query"])
    func `A split has the scores of the run's own evaluation, whatever is scored together and by how many threads`(
        task: String
    ) throws {
        let evaluation = try #require(
            try run.outcome(of: folder).entries(with: "metrics").first { $0["task"] as? String == task })
        let scores = try #require(evaluation["metrics"] as? [String: Double])
        let result = try predict("--task", task)
        #expect(result.status == 0, "\(result.error)")
        #expect(result.error.contains("\n\(task) dev: "))
        #expect(!scores.isEmpty)
        for (name, value) in scores { #expect(result.error.contains(String(format: "%@ %.4f", name, value))) }
        let lines = result.output.split(separator: "\n")
        #expect(lines.dropFirst().map { $0.prefix { $0 != "\t" } } == (try rows(task)).map { $0[0][...] })
        let other = try predict("--task", task, "--threads", "3", "--set", "evaluation_batch_size=2")
        #expect(other.output == result.output)
    }

    @Test(arguments: [("single", "ACC"), ("score", "Pearson"), ("pair", "ACC"), ("query", "MRR")])
    func `The run folder has mt-dnn's file of scores, with what the model of that epoch says`(
        task: String, metric: String
    ) throws {
        let data = try #require(
            FileManager.default.contents(atPath: "\(folder)/scores/\(task)_dev_scores_1.json"))
        let file = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        let evaluation = try #require(
            try run.outcome(of: folder).entries(with: "metrics").first { $0["task"] as? String == task })
        let expected = try #require(evaluation["metrics"] as? [String: Double])
        let metrics = try #require(file["metrics"] as? [String: Double])
        #expect(metrics.mapValues { $0 / 100 }.allSatisfy { abs($0.value - expected[$0.key]!) < 1e-12 })
        #expect(metrics.keys.contains(metric) && metrics.count == expected.count)
        let lines = try predict("--task", task, "--json").output.split(separator: "\n").map {
            try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
        #expect(file["uids"] as? [String] == lines.map { $0["uid"] as? String ?? "" })
        let scores = lines.flatMap { line in
            (line["probabilities"] ?? line["scores"]) as? [Double] ?? [line["score"] as? Double ?? .nan]
        }
        #expect(file["scores"] as? [Double] == scores)
        let predictions = lines.map { line in
            (line["best"] ?? line["score"]) as? Double ?? Double(line["prediction"] as? String ?? "") ?? .nan
        }
        #expect(file["predictions"] as? [Double] == predictions)
    }

    @Test(arguments: ["single", "score", "pair", "query"])
    func `Texts from a file have the scores of the same texts in a split`(task: String) throws {
        let rows = try rows(task)
        let texts = rows.map { Array($0.dropFirst(task == "query" ? 3 : 2)) }
        let expected = try predict("--task", task, "--json").output.split(separator: "\n").map(withoutUid)
        #expect(expected.count == rows.count)
        let plain = try write(texts.map { $0.joined(separator: "\t") }.joined(separator: "\r\n"))
        let ofTexts = try predict("--task", task, "--json", "--input", plain)
        #expect(ofTexts.output.split(separator: "\n").map(withoutUid) == expected, "\(ofTexts.error)")
        let objects = try texts.map { texts -> String in
            let entries: [String: Any] =
                switch task {
                case "single": ["sentence": texts[0], "uid": "a"]
                case "query": ["query": texts[0], "candidates": Array(texts.dropFirst()), "uid": "a"]
                default: ["sentence1": texts[0], "sentence2": texts[1], "uid": "a"]
                }
            return String(decoding: try JSONSerialization.data(withJSONObject: entries), as: UTF8.self) + "\n"
        }
        let json = try write(objects.joined())
        let ofJSON = try predict("--task", task, "--json", "--json-input", "--input", json)
        #expect(ofJSON.output.split(separator: "\n").map(withoutUid) == expected, "\(ofJSON.error)")
        #expect(ofJSON.output.split(separator: "\n").allSatisfy { $0.contains("\"uid\":\"a\"") })
    }

    private func withoutUid(_ line: Substring) -> Substring { line.prefix { $0 != "u" } }

    @Test func `Probabilities of classes sum to one, and the largest names the answer`() throws {
        for task in ["single", "pair"] {
            let lines = try predict("--task", task).output.split(separator: "\n").map { $0.split(separator: "\t") }
            #expect(lines[0].prefix(2) == ["uid", "prediction"])
            for line in lines.dropFirst() {
                let shares = line.dropFirst(2).compactMap { Double($0) }
                #expect(abs(shares.reduce(0, +) - 1) < 1e-6)
                let best = try #require(shares.indices.max { shares[$0] < shares[$1] })
                #expect(line[1] == lines[0][2 + best])
            }
        }
    }

    @Test func `Predictions need neither the task file nor the run's other files, but the right vocabulary`() throws {
        let expected = try predict("--task", "pair").output
        let moved = "\(run.suite.folder)/moved"
        try FileManager.default.moveItem(atPath: "\(folder)/checkpoints/step-00000019", toPath: moved)
        try FileManager.default.removeItem(atPath: "\(run.suite.folder)/tasks.yml")
        #expect(try mtdnn(["predict", moved, "--task", "pair"]).output == expected)
        let vocabulary = "\(run.suite.folder)/vocab.txt"
        let copy = try write(String(contentsOfFile: vocabulary, encoding: .utf8))
        try (String(contentsOfFile: vocabulary, encoding: .utf8) + "more\n")
            .write(toFile: vocabulary, atomically: true, encoding: .utf8)
        let refused = try mtdnn(["predict", moved, "--task", "pair"])
        #expect(refused.status == 1 && refused.output.isEmpty)
        #expect(refused.error.contains("Error: the sizes or the vocabulary of \(vocabulary) are not those that"))
        let told = try mtdnn(["predict", moved, "--task", "pair", "--set", "encoder.vocab=\(copy)"])
        #expect(told.output == expected, "\(told.error)")
    }

    @Test func `A bad line is named, and those before it have their answers`() throws {
        let input = try write("w1 w2\nw3\tw4\nw5\n")
        let result = try predict("--task", "single", "--input", input)
        #expect(result.status == 1)
        #expect(
            result.error.hasSuffix(
                "Error: \(input):2: 2 columns, but task single takes one sentence, with tabs between\n"))
        #expect(result.output.split(separator: "\n").map { $0.prefix(2) }.dropFirst() == ["1\t"])
        let output = "\(run.suite.folder)/output.tsv"
        #expect(try predict("--task", "single", "--input", input, "--output", output).status == 1)
        #expect(!FileManager.default.fileExists(atPath: output))
        let refusals = [
            ["--task", "singel"]: "--task singel: the checkpoint has single, score, pair, query",
            []: "--task must name one of single, score, pair, query",
            ["--task", "pair", "--split", "deb"]: "--split deb: task pair has train, dev, test",
            ["--task", "pair", "--set", "seed=1"]:
                "--set seed=1: a trained model has its settings; only data, encoder.from",
            ["--task", "pair", "--input", "/nowhere"]: "/nowhere: cannot be read",
            ["--glue-submission", "/nowhere"]: "none of the tasks single, score, pair, query is one of GLUE's",
        ]
        for (arguments, sentence) in refusals {
            let refused = try mtdnn(["predict", folder] + arguments)
            #expect(refused.status == 1 && refused.error.contains("Error: \(sentence)"), "\(refused.error)")
        }
    }

    @Test func `A Hugging Face folder holds encoder and head under their names there, and trains on`() throws {
        let checkpoint = try Checkpoint(path: "\(folder)/checkpoints/step-00000019")
        var weights: [String: [Float]] = [:]
        try checkpoint.forEachPart { file, part in
            weights[part.name, default: []] += try file.read("parameters/\(part.name)", as: Float.self)
        }
        let encoder = weights.filter { !$0.key.hasPrefix("heads.") }
        for (task, labels) in [("single", ["0", "1"]), ("score", ["score"]), ("query", ["score"])] {
            let exported = "\(run.suite.folder)/hugging-face-\(task)"
            let result = try mtdnn(["export", folder, "--hugging-face", exported, "--task", task])
            #expect(result.status == 0, "\(result.error)")
            let tensors = try SafeTensors("\(exported)/model.safetensors")
            #expect(tensors.names.count == encoder.count + 2)
            for (name, values) in encoder { #expect(try tensors.read("bert.\(name)") == values, "\(name)") }
            for name in ["classifier.weight", "classifier.bias"] {
                #expect(try tensors.read(name) == weights["heads.\(task).\(name)"])
            }
            #expect(try tensors.shape(of: "classifier.weight") == [labels.count, 32])
            let entries = try #require(
                try JSONSerialization.jsonObject(
                    with: Data(contentsOf: URL(fileURLWithPath: "\(exported)/config.json")))
                    as? [String: Any])
            #expect(entries["architectures"] as? [String] == ["BertForSequenceClassification"])
            #expect(entries["hidden_size"] as? Int == 32 && entries["layer_norm_eps"] as? Double == 1e-12)
            let names = entries["id2label"] as? [String: String]
            #expect(names == Dictionary(uniqueKeysWithValues: labels.enumerated().map { ("\($0)", $1) }))
        }
        let exported = "\(run.suite.folder)/hugging-face"
        #expect(try mtdnn(["export", folder, "--hugging-face", exported]).status == 0)
        #expect(try SafeTensors("\(exported)/model.safetensors").names == encoder.keys.sorted())
        let again = try mtdnn(["export", folder, "--hugging-face", exported])
        #expect(again.status == 1 && again.error.contains("\(exported): exists; remove it"))
        let refused = try mtdnn(["export", folder, "--hugging-face", "\(exported)-pair", "--task", "pair"])
        #expect(refused.status == 1 && refused.error.contains("has the stochastic answer network, which transformers"))
        #expect(!FileManager.default.fileExists(atPath: "\(exported)-pair"))

        // As the encoder of a new run it gives the very weights.
        let settings = try RunSettings.load(
            path: run.suite.runFile, overrides: ["encoder={from: \(exported)}", "folder=\(run.newFolder())"])
        #expect(try EncoderFiles(settings).sizes.described == checkpoint.manifest.origin.encoder)
    }

    private func embed(_ arguments: String...) throws -> [[String: Any]] {
        let input = try write("w1 w2 w3\nw4\n")
        let result = try mtdnn(["embed", folder, "--input", input] + arguments)
        try #require(result.status == 0, "\(result.error)")
        return try result.output.split(separator: "\n").map { line in
            try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        }
    }

    @Test func `Sentence vectors are the mean of token vectors, or the first of them`() throws {
        let tokens = try embed("--tokens")
        #expect(
            tokens.map { $0["tokens"] as? [String] } == [
                ["[CLS]", "w1", "w2", "w3", "[SEP]"], ["[CLS]", "w4", "[SEP]"],
            ])
        let (means, firsts) = (try embed(), try embed("--pooling", "first", "--threads", "2"))
        for ((text, mean), first) in zip(zip(tokens, means), firsts) {
            let vectors = try #require(text["vectors"] as? [[Double]])
            #expect(vectors.count == (text["tokens"] as? [String])?.count && vectors.allSatisfy { $0.count == 32 })
            #expect(first["vector"] as? [Double] == vectors[0])
            let found = try #require(mean["vector"] as? [Double])
            for column in 0..<32 {
                let expected = vectors.reduce(0) { $0 + $1[column] } / Double(vectors.count)
                #expect(abs(found[column] - expected) < 1e-6)
            }
        }
    }

    @Test func `Answers go where --output leads, and leave it what it is`() throws {
        let expected = try predict("--task", "single").output
        let file = try write("old\n")
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file)
        let link = "\(run.suite.folder)/link"
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: file)
        #expect(try predict("--task", "single", "--output", link).status == 0)
        #expect(try String(contentsOfFile: file, encoding: .utf8) == expected)
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == file)
        let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int
        #expect(mode == 0o600)

        let pipe = "\(run.suite.folder)/pipe"
        try #require(mkfifo(pipe, 0o600) == 0)
        let reader = try RunningProgram(["cat", pipe])
        #expect(try predict("--task", "single", "--output", pipe).status == 0)
        #expect(try reader.wait(timeout: 30).output == expected)

        let ofFolder = try predict("--task", "single", "--output", run.suite.folder)
        #expect(ofFolder.status == 1 && ofFolder.error.contains("--output \(run.suite.folder): is a folder"))
    }
}
