import Data
import Foundation
import Testing

@testable import Training

struct SettingsTests {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("mtdnn-\(UUID().uuidString)")
        .path

    private static let tasks = """
        cola: {n_class: 2, data_format: PremiseOnly, task_type: Classification, metric_meta: [ACC], enable_san: false}
        stsb:
          {n_class: 1, data_format: PremiseAndOneHypothesis, task_type: Regression, metric_meta: [Pearson],
           enable_san: no}
        ner: {n_class: 9, data_format: Seqence, task_type: ClozeChoice, metric_meta: [ACC], enable_san: false}
        """
    private static let sizes =
        "{hidden_size: 128, num_hidden_layers: 2, num_attention_heads: 2, intermediate_size: 512, vocab: vocab.txt}"
    private static let least = "encoder: {from: bert}\ntasks: tasks.yml\ndata: data\ntrain: [stsb, cola]\n"

    /// Loads `text` from FOLDER/runs/glue.yml with a task file of two trainable tasks beside it.
    private func load(_ text: String, _ overrides: String...) throws -> RunSettings {
        let runs = URL(fileURLWithPath: folder).appendingPathComponent("runs")
        try FileManager.default.createDirectory(at: runs, withIntermediateDirectories: true)
        try Data(Self.tasks.utf8).write(to: runs.appendingPathComponent("tasks.yml"))
        let path = runs.appendingPathComponent("glue.yml")
        try Data(text.utf8).write(to: path)
        defer {
            do { try FileManager.default.removeItem(atPath: folder) } catch { Issue.record(error) }
        }
        let settings = try RunSettings.load(path: path.path, overrides: overrides)
        // Every text that loads must survive being written and read again.
        try Data(settings.yaml.utf8).write(to: path)
        #expect(try RunSettings.load(path: path.path) == settings)
        return settings
    }

    @Test func `docs/settings.md names every key of a run, with its default`() throws {
        let page = URL(fileURLWithPath: #filePath).appendingPathComponent("../../../docs/settings.md").standardized
        let table = try #require(
            String(contentsOf: page, encoding: .utf8).components(separatedBy: "\n## ").first {
                $0.hasPrefix("Keys of a run")
            })
        var documented: [String: String] = [:]
        for line in table.split(separator: "\n") where line.hasPrefix("| `") {
            let cells = line.components(separatedBy: " | ")
            documented[cells[0].trimmingCharacters(in: CharacterSet(charactersIn: "| `"))] = cells[1]
        }
        let settings = try load(Self.least)
        let values = settings.flattened.filter { !$0.key.contains(".") }
        let groups = ["encoder", "sampler", "san", "initialize", "smart"]
        #expect(Set(documented.keys) == Set(values.map(\.key) + groups))
        // Paths and lists are the run file's own; all else is a number, a word or a truth value.
        for (key, value) in values where !["tasks", "data", "train", "folder", "prepared"].contains(key) {
            let text = try #require(documented[key])
            #expect(text == value || Double(text) != nil && Double(text) == Double(value), "\(key)")
        }
    }

    @Test(arguments: ["/runs/try #2", "/a: b", "/null", "/- x", "/é\u{2028}", "/\"quoted\" \\", "/{a}, [b]"])
    func `A path stays what it is on its way through YAML`(path: String) throws {
        #expect(try load(Self.least, "folder=\(yamlText(path))").folder == path)
    }

    private func errorOf(_ text: String, _ overrides: String...) -> String {
        do {
            _ = try overrides.isEmpty ? load(text) : load(text, overrides[0])
            return "no error"
        } catch {
            return "\(error)".replacingOccurrences(of: folder + "/runs/", with: "")
        }
    }

    @Test func `A run may go on with settings that no weight depends on, and with more epochs`() throws {
        let old = try load(Self.least)
        func refusal(_ change: (inout RunSettings) -> Void) -> String {
            var new = old
            change(&new)
            do {
                try new.requireResumable(from: old)
                return ""
            } catch {
                return "\(error)"
            }
        }
        #expect(
            refusal {
                $0.checkpointSteps = 3
                $0.keepLast = 7
                $0.keepBest = false
                $0.prepared = "/elsewhere"
                $0.folder = "/moved"
                $0.data = "/moved"
                $0.encoder = .folder("/moved")
                $0.epochs = 6
            } == "")
        #expect(
            refusal { $0.epochs = 4 }.contains("holds a run with other settings (epochs: 5 -> 4); use those settings"))
        #expect(refusal { $0.seed = 1 }.contains("(seed: 2018 -> 1)"))
        #expect(
            refusal { $0.initialize = InitializeSettings(checkpoint: "/run") }.contains(
                "(initialize.checkpoint: none -> /run; initialize.heads: none -> false)"))
    }

    @Test func `First values from another run are a path, with or without heads`() throws {
        let settings = try load(Self.least + "initialize: {checkpoint: ../other, heads: true}\nkeep_best: false\n")
        #expect(settings.initialize?.checkpoint == folder + "/other" && settings.initialize?.heads == true)
        #expect(!settings.keepBest)
        #expect(try load(Self.least).initialize == nil)
        #expect(try load(Self.least + "initialize: {checkpoint: a}\n").initialize?.heads == false)
        #expect(
            errorOf(Self.least + "initialize: {heads: true}\n").contains("missing key \"checkpoint\" in initialize"))
        #expect(errorOf(Self.least + "initialize: {checkpoint: a, head: true}\n").contains("unknown key \"head\""))
        #expect(errorOf(Self.least + "keep_best: 2\n").contains("keep_best"))
    }

    @Test func defaultsAreThePapers() throws {
        let settings = try load(Self.least)
        var expected = RunSettings(
            encoder: .folder(folder + "/runs/bert"), tasks: folder + "/runs/tasks.yml", data: folder + "/runs/data",
            train: ["stsb", "cola"], folder: folder + "/runs/glue")
        #expect(settings == expected)
        #expect(settings.prepared == folder + "/runs/prepared")
        #expect(settings.seed == 2018 && settings.epochs == 5 && settings.batchSize == 32 && settings.slices == 8)
        #expect(settings.learningRate == 5e-5 && settings.optimizer == .adamax && settings.schedule == .linear)
        #expect(settings.warmup == 0.1 && settings.weightDecay == 0.01 && settings.gradientClip == 1)
        #expect(settings.dropout == 0.1 && settings.taskDropout == 0.1 && settings.maximumLength == 512)
        #expect(settings.answerNetwork.turns == 5 && settings.answerNetwork.predictionDropout == 0.1)
        #expect(settings.reproducible == .acrossRankCounts && settings.evaluationBatchSize == 32)

        expected.seed = 7
        expected.train = ["cola"]
        #expect(expected.differences(from: settings) == ["train: [stsb, cola] -> [cola]", "seed: 2018 -> 7"])
        #expect(settings.differences(from: settings) == [])
    }

    @Test func sizesMayHaveAKeyOfTheirOwn() throws {
        let flat = try load("encoder: \(Self.sizes)\ntasks: tasks.yml\ndata: d\ntrain: [cola]\n")
        let nested = try load("encoder: {sizes: \(Self.sizes)}\ntasks: tasks.yml\ndata: d\ntrain: [cola]\n")
        #expect(flat.encoder == nested.encoder)
    }

    @Test func everyKeyIsReadAndWritten() throws {
        let text = """
            encoder: \(Self.sizes.dropLast()), max_position_embeddings: 64, initializer_range: 0.1, lower_case: false}
            tasks: tasks.yml
            data: /some where/"quoted"/\u{E9}
            train: [cola]
            seed: 18446744073709551615
            epochs: 1
            batch_size: 7
            sampler: {kind: temperature, temperature: 2.5, cap: 100, last: cola}
            slices: 3
            reproducible: per_rank_count
            max_length: 60
            evaluation_batch_size: 5
            optimizer: adamax_torch
            learning_rate: 3e-4
            schedule: cosine
            warmup: 0
            weight_decay: 0.02
            gradient_clip: 0
            dropout: 0.2
            task_dropout: 0.3
            san: {turns: 3, prediction_dropout: 0.4}
            folder: ../out
            threads: 3
            recompute: true
            gradient_accumulation: 2
            checkpoint_steps: 11
            keep_last: 9
            stall_timeout: 20
            keep_best: false
            initialize: {checkpoint: ../other, heads: true}
            patience: 3
            max_restarts: 5
            prepared: "line\\nbreak"
            """
        let settings = try load(text)
        #expect(settings.data == "/some where/\"quoted\"/\u{E9}" && settings.folder == folder + "/out")
        #expect(settings.prepared == folder + "/runs/line\nbreak")
        let defaults = RunSettings(encoder: .folder("x"), tasks: "x", data: "x", train: [], folder: "x")
        // Every key differs from its default, so a key that is read or written wrongly shows.
        #expect(settings.differences(from: defaults).count == 1 + 8 + 31 + 4 + 2)
        #expect(settings.yaml.split(separator: "\n").count == 1 + 8 + 31 + 1 + 4 + 1 + 3)
        #expect(
            settings.differences(from: defaults).prefix(2)
                == ["encoder.hidden_size: none -> 128", "encoder.num_hidden_layers: none -> 2"])
        #expect(settings.differences(from: defaults).last == "encoder.from: x -> none")
    }

    @Test func overridesWin() throws {
        let settings = try load(Self.least, "train=[cola]", "encoder.from=other", "learning_rate=1e-4", "san.turns=2")
        #expect(settings.train == ["cola"] && settings.learningRate == 1e-4 && settings.answerNetwork.turns == 2)
        #expect(settings.encoder == .folder(FileManager.default.currentDirectoryPath + "/other"))
    }

    @Test func lengthDefaultsToWhatTheEncoderHolds() throws {
        let sizes = Self.sizes.dropLast() + ", max_position_embeddings: 64}"
        #expect(try load("encoder: \(sizes)\ntasks: tasks.yml\ndata: .\ntrain: [cola]").maximumLength == 64)
    }

    @Test(arguments: [
        ("learning_rat: 1", "glue.yml:5: unknown key \"learning_rat\"; did you mean \"learning_rate\"?"),
        ("seed: -1", "glue.yml:5: seed must be a whole number from 0 to 18446744073709551615, not -1"),
        ("epochs: 0", "glue.yml:5: epochs must be from 1 to 100000, not 0"),
        ("batch_size: many", "glue.yml:5: batch_size must be a whole number, not \"many\""),
        ("batch_size: 0", "glue.yml:5: batch_size must be from 1 to 1000000, not 0"),
        ("slices: 0", "glue.yml:5: slices must be from 1 to 1024, not 0"),
        ("evaluation_batch_size: 0", "glue.yml:5: evaluation_batch_size must be from 1 to 1000000, not 0"),
        (
            "reproducible: always",
            "glue.yml:5: reproducible must be one of across_rank_counts, per_rank_count, not \"always\""
        ),
        (
            "optimizer: adamx",
            "glue.yml:5: optimizer must be one of adamax, adamax_torch, adamw, radam, lamb, sgd, not \"adamx\"; did you mean \"adamax\"?"
        ),
        ("schedule: step", "glue.yml:5: schedule must be one of linear, cosine, constant, not \"step\""),
        ("learning_rate: 0", "glue.yml:5: learning_rate must be above 0.0, not 0"),
        ("warmup: 2", "glue.yml:5: warmup must be from 0.0 to 1.0, not 2"),
        ("weight_decay: -1", "glue.yml:5: weight_decay must be at least 0.0, not -1"),
        ("gradient_clip: -1", "glue.yml:5: gradient_clip must be at least 0.0, not -1"),
        ("dropout: 1", "glue.yml:5: dropout must be at least 0.0 and below 1.0, not 1"),
        ("task_dropout: x", "glue.yml:5: task_dropout must be a number, not \"x\""),
        ("max_length: 3", "glue.yml:5: max_length must be at least 8, not 3"),
        ("san: {turns: 0}", "glue.yml:5: san.turns must be from 1 to 50, not 0"),
        ("san: {turn: 1}", "glue.yml:5: unknown key \"turn\" in san; did you mean \"turns\"?"),
        (
            "san:\n  prediction_dropout: 1",
            "glue.yml:6: san.prediction_dropout must be at least 0.0 and below 1.0, not 1"
        ),
        ("stall_timeout: 0", "glue.yml:5: stall_timeout must be from 1 to 1000000, not 0"),
        ("folder: [a]", "glue.yml:5: folder must be text, not a list"),
    ])
    func refusesKeys(line: String, expected: String) {
        #expect(errorOf(Self.least + line) == expected)
    }

    @Test(arguments: [
        ("train=[colla]", "--set train: train[0] is \"colla\", which is no task of tasks.yml; did you mean \"cola\"?"),
        ("train=[cola, cola]", "--set train: train[1] repeats \"cola\""),
        ("train=[]", "--set train: train must name at least one task"),
        ("train=cola", "--set train: train must be a list, not \"cola\""),
        (
            "train=[ner]",
            "tasks.yml:5: ner.task_type is ClozeChoice, which this version does not train; "
                + "supported: Classification, Regression, Ranking, SeqenceLabeling, SpanClassification, SpanClassificationYN, MaskLM"
        ),
        (
            "train=null",
            "tasks.yml:5: ner.task_type is ClozeChoice, which this version does not train; "
                + "supported: Classification, Regression, Ranking, SeqenceLabeling, SpanClassification, SpanClassificationYN, MaskLM"
        ),
        ("tasks=/no/tasks.yml", "--set tasks: tasks names no file: /no/tasks.yml"),
        ("tasks=/", "--set tasks: tasks names no file: /"),
        ("tasks=\"a\\0b\"", "--set tasks: tasks must not contain a null character"),
        ("tasks=null", "glue.yml:1: missing key \"tasks\""),
        ("data=null", "glue.yml:1: missing key \"data\""),
        ("encoder=null", "glue.yml:1: missing key \"encoder\""),
        ("encoder=bert", "--set encoder: encoder must be a mapping of keys to values, not \"bert\""),
        (
            "encoder.vocab=v.txt",
            "glue.yml:1: encoder has both from and vocab; a pretrained encoder brings its own sizes"
        ),
        ("encoder.form=x", "--set encoder.form: unknown key \"form\" in encoder; did you mean \"from\"?"),
        ("encoder.from=null", "glue.yml:1: missing key \"hidden_size\" in encoder"),
        (
            "encoder={hidden_size: 100, num_hidden_layers: 2, num_attention_heads: 3, intermediate_size: 4, vocab: v}",
            "--set encoder: encoder.hidden_size must be a multiple of num_attention_heads (3), not 100"
        ),
    ])
    func refusesOverrides(assignment: String, expected: String) {
        #expect(errorOf(Self.least, assignment) == expected)
    }

    @Test func refusesLengthsThatTheEncoderCannotHold() {
        let text = "encoder: \(Self.sizes)\ntasks: tasks.yml\ndata: .\ntrain: [cola]\nmax_length: 513"
        #expect(
            errorOf(text)
                == "glue.yml:5: max_length must be at most encoder.max_position_embeddings (512), not 513")
    }

    @Test func refusesMissingRunFile() {
        #expect(throws: SettingsError(file: "/no/run.yml", message: "no such file")) {
            try RunSettings.load(path: "/no/run.yml")
        }
    }

    @Test func mutatedFilesNeverCrash() {
        var accepted = 0
        let original = Array(
            (Self.least + "seed: 3\nsan: {turns: 4}\nlearning_rate: 5e-5\nfolder: \"a b\"\n").unicodeScalars)
        var random = SeededGenerator(state: 2018)
        let spice = Array("*&-:{}[]\"'\t\n?!|>#%~,\\xu0\u{85}\u{FEFF}\u{0}".unicodeScalars)
        for _ in 0..<2000 {
            var scalars = original
            for _ in 0...random.below(3) {
                let at = random.below(scalars.count), end = min(scalars.count, at + random.below(8))
                let new = random.below(2) == 0 ? [spice[random.below(spice.count)]] : Array(scalars[at..<end])
                scalars.replaceSubrange(at..<(random.below(2) == 0 ? at : end), with: new)
            }
            if errorOf(String(String.UnicodeScalarView(scalars))) == "no error" { accepted += 1 }
        }
        #expect((100...1900).contains(accepted))
    }

    @Test func `Ranks are as many as slices at most, unless each has slices of its own`() throws {
        var settings = RunSettings(encoder: .folder("x"), tasks: "x", data: "x", train: [], folder: "x")
        settings.slices = 4
        #expect(try settings.sliceCount(ranks: 4) == 4)
        #expect(throws: TrainingError.self) { try settings.sliceCount(ranks: 5) }
        settings.gradientAccumulation = 3
        #expect(throws: TrainingError.self) { try settings.sliceCount(ranks: 2) }
        settings.reproducible = .perRankCount
        #expect(try settings.sliceCount(ranks: 5) == 15)
    }
}

/// A small seeded generator, so that a failing mutation can be made again.
private struct SeededGenerator {
    var state: UInt64

    mutating func below(_ bound: Int) -> Int {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Int(state % UInt64(bound))
    }
}
