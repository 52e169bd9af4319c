import Data
import Foundation
import Model
import Storage
import Training

// An encoder's folder.
extension Format {
    private static func encoderSettings(_ folder: String) -> RunSettings {
        var settings = RunSettings(encoder: .folder(folder), tasks: "", data: "", train: [], folder: "")
        settings.maximumLength = 16
        return settings
    }

    static let safetensors = Format(name: "safetensors", share: 1300) { fixtures, work in
        for name in ["config.json", "vocab.txt"] { try copy("\(fixtures)/encoder/\(name)", to: work) }
        let files = try EncoderFiles(encoderSettings(work))
        let model = Fixtures.model(files.sizes)
        let original = try contents("\(fixtures)/encoder/model.safetensors")
        let words = ["F16", "BF16", "F64", "I64", "U8", "dtype", "shape", "data_offsets", "__metadata__", "{}", "[]"]
        // Most changes fall on the header and its length.
        let header = original[..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
        let mutants = [true, false].map {
            Mutant(
                path: "\(work)/model.safetensors", original: original,
                mutator: Mutator(isText: $0, words: words, target: 0..<8 + ($0 ? header : 0)))
        }
        return Subject(mutants: mutants) { path in
            let tensors = try SafeTensors(path)
            for name in tensors.names {
                do { _ = try tensors.read(name) } catch { _ = try tensors.readIntegers(name) }
            }
            _ = try files.initialize(model)
        }
    }

    static let configuration = Format(name: "config", share: 700) { fixtures, work in
        try copy("\(fixtures)/encoder/vocab.txt", to: work)
        let words = ["null", "true", "\"gelu\"", "{}", "[", "\"hidden_size\":", "\\u0000", "e9"]
        let mutant = Mutant(
            path: "\(work)/config.json", original: try contents("\(fixtures)/encoder/config.json"),
            mutator: Mutator(isText: true, words: words))
        return Subject(mutants: [mutant]) { _ in _ = try EncoderFiles(encoderSettings(work)) }
    }

    static let tokenizerOptions = Format(name: "tokenizer", share: 300) { fixtures, work in
        let mutant = Mutant(
            path: "\(work)/tokenizer_config.json", original: try contents("\(fixtures)/encoder/tokenizer_config.json"),
            mutator: Mutator(isText: true, words: ["null", "true", "0", "{", "[[[["]))
        return Subject(mutants: [mutant]) { _ = try TokenizerOptions(path: $0) }
    }

    static let vocabulary = Format(name: "vocabulary", share: 700) { fixtures, work in
        let mutant = Mutant(
            path: "\(work)/vocab.txt", original: try contents("\(fixtures)/encoder/vocab.txt"),
            mutator: Mutator(isText: true, words: ["##", "\n", "[PAD]", "[UNK]", "\u{301}", "é", "\r\n"]))
        return Subject(mutants: [mutant]) { path in
            let vocabulary = try Vocabulary(path: path)
            for id in 0..<Int32(min(vocabulary.count, 1000)) {
                guard vocabulary.id(of: vocabulary.token(id)) == id else { fail("a token is not found again") }
            }
            // The tables of characters take long, and do not depend on the vocabulary.
            if vocabulary.count.isMultiple(of: 16) {
                _ = Tokenizer(vocabulary: vocabulary).encode("w1 w11 W2é [MASK] w59w59", "w3", maximumLength: 12)
            }
        }
    }
}

// Settings and tasks.
extension Format {
    private static let yamlWords = [
        "&a ", "*a", "<<: ", "!!int ", "- ", "? ", ": ", "|", ">-", "%YAML 1.1\n", "---\n", "...\n", "~", "[", "{",
        "\t",
        "\u{85}", "\"\\0\"", "null",
    ]

    static let runFile = Format(name: "run", share: 850) { fixtures, work in
        for name in ["tasks.yml", "vocab.txt"] { try copy("\(fixtures)/\(name)", to: work) }
        let words = yamlWords + ["encoder: {from: .}", "initialize: {checkpoint: x}", "seed", "train: []"]
        // What people write, and what the program keeps in the run folder.
        let mutants = try ["run.yml", "run/run.yml"].map {
            Mutant(
                path: "\(work)/run.yml", original: try contents("\(fixtures)/\($0)"),
                mutator: Mutator(isText: true, words: words))
        }
        return Subject(mutants: mutants) { path in
            let settings = try RunSettings.load(path: path)
            _ = try settings.taskDefinitions()
            let again = "\(work)/again.yml"
            try settings.yaml.write(toFile: again, atomically: false, encoding: .utf8)
            guard try RunSettings.load(path: again) == settings else { fail("settings do not come back: \(path)") }
        }
    }

    static let taskFile = Format(name: "tasks", share: 750) { fixtures, work in
        let mutant = Mutant(
            path: "\(work)/tasks.yml", original: try contents("\(fixtures)/tasks.yml"),
            mutator: Mutator(isText: true, words: yamlWords + ["labels: [a, b]", "n_class", "Ranking", "split_names"]))
        return Subject(mutants: [mutant]) { path in
            let file = try TaskFile(path: path)
            for name in file.names { _ = try file.definition(of: name) }
        }
    }
}

// Examples, and what a run says of itself.
extension Format {
    private static func examples(
        _ name: String, share: Int, _ files: [(name: String, task: TaskDefinition)], _ words: [String]
    ) -> Format {
        Format(name: name, share: share) { fixtures, work in
            let tokenizer = Tokenizer(vocabulary: try Vocabulary(path: "\(fixtures)/vocab.txt"))
            let mutants = try files.map { file in
                Mutant(
                    path: "\(work)/\(file.name)", original: try firstLines(6, of: "\(fixtures)/\(file.name)"),
                    mutator: Mutator(isText: true, words: words))
            }
            return Subject(mutants: mutants) { path in
                var task = files.first { path.hasSuffix("/\($0.name)") }!.task
                task.data = .files(["train": path])
                if task.format == .jsonLines {
                    _ = try task.tokenizedContents(
                        ofSplit: "train", dataFolder: work, vocabularySize: 65, maximumLength: 90)
                    return
                }
                if case .maskedWords = task.kind {
                    let documents = try task.documents(ofSplit: "train", dataFolder: work)
                    let tokens = documents.map { $0.sentences.map { tokenizer.tokens(of: $0) } }
                    _ = tokens.pairs(tokenizer.vocabulary, maximumLength: 16)
                    return
                }
                for example in try task.readExamples(split: "train", dataFolder: work) {
                    if example.answers != nil { _ = tokenizer.encode(example, maximumLength: 12, documentStride: 2) }
                    if !example.words.isEmpty { _ = tokenizer.encode(example, maximumLength: 16) }
                    for second in example.second { _ = tokenizer.encode(example.first, second, maximumLength: 16) }
                    if example.second.isEmpty { _ = tokenizer.encode(example.first, maximumLength: 16) }
                }
            }
        }
    }

    private static func task(
        _ name: String, _ kind: TaskDefinition.Kind, isPair: Bool, _ format: ExampleFormat = .canonical
    ) -> TaskDefinition {
        var task = TaskDefinition(name: name, kind: kind, isPair: isPair, metrics: [])
        task.format = format
        return task
    }

    private static let three = TaskDefinition.Kind.classification(classCount: 3, labels: [])

    static let canonical = examples(
        "canonical", share: 600,
        [
            ("single_train.tsv", task("single", .classification(classCount: 2, labels: []), isPair: false)),
            ("score_train.tsv", task("score", .regression(scoreRange: 0...5), isPair: true)),
            ("query_train.tsv", task("query", .ranking(labels: []), isPair: true)),
        ], ["\t", "\n", "\r\n", "\"", ",", "w1,w2", "\u{FEFF}", "\u{0}", "İ", "\u{1D15E}", "nan", "1"])

    static let glue = examples(
        "glue", share: 300, [("glue.tsv", task("glue", three, isPair: true, .glue))],
        ["\t", "\n", "sentence1", "label", "gold_label", "index", "\""])

    private static let words = TaskDefinition.Kind.classification(
        classCount: 3, labels: ["contradiction", "neutral", "entailment"])

    static let inference = examples(
        "inference", share: 400,
        [
            ("snli.txt", task("snli", words, isPair: true, .snli)),
            ("snli.jsonl", task("snli", words, isPair: true, .snli)),
            ("scitail.tsv", task("scitail", words, isPair: true, .scitail)),
        ],
        [
            "\t", "\n", "\r\n", "\"", "-", "gold_label", "sentence2", "label1", "pairID", "{", "null", "\\ud800",
            "entails", "\"gold_label\":",
        ])

    static let labelledWords = examples(
        "labelled_words", share: 300,
        [
            ("words.tsv", task("words", .labelling(labels: ["O", "B-X", "I-X"]), isPair: false)),
            ("words.txt", task("words", .labelling(labels: ["O", "B-X", "I-X"]), isPair: false, .conll)),
        ], ["\t", "\n", "\n\n", "'", "\"", "[", "]", ",", "\\", "-DOCSTART-", "O", " ", "\u{200B}"])

    static let questions = examples(
        "questions", share: 200,
        [("squad.json", task("squad", .span(allowsNone: true, stride: 2), isPair: true, .squad))],
        [
            "[", "]", "{", "}", ",", "null", "true", "-1", "1e9", "99999999999999999999", "\"answers\":", "\\ud800",
            "\u{200B}",
        ])

    private static let maskedWords = TaskDefinition.Kind.maskedWords(classCount: 65, wholeWords: true)

    static let documents = examples(
        "documents", share: 300,
        [
            ("text.txt", task("text", maskedWords, isPair: true, .text)),
            ("book.txt", task("book", maskedWords, isPair: true, .book)),
            ("text.json", task("text", maskedWords, isPair: true, .jsonText)),
        ],
        [
            "\n", "\n\n", "\n\n\n", "\r\n", ". W", "\u{201D} ", "{", "null", "\"text\":", "\\n", "\\ud800", "\u{FEFF}",
            "\u{2029}",
        ])

    static let jsonLines = examples(
        "json_lines", share: 400,
        [
            ("pairs.json", task("pairs", three, isPair: true, .jsonLines)),
            ("queries.json", task("queries", .ranking(labels: []), isPair: true, .jsonLines)),
        ], ["[", "]", "{", "null", "true", "\"token_id\":", "[[", "\\ud800", "0.5", "\n"])

    static let metrics = Format(name: "metrics", share: 400) { fixtures, work in
        for name in ["run.yml", "tasks.yml", "vocab.txt"] { try copy("\(fixtures)/\(name)", to: work) }
        for name in try FileManager.default.contentsOfDirectory(atPath: fixtures) where name.hasSuffix(".tsv") {
            try copy("\(fixtures)/\(name)", to: work)
        }
        let settings = try RunSettings.load(path: "\(work)/run.yml", overrides: ["folder=\(work)"])
        let mutant = Mutant(
            path: "\(work)/metrics.jsonl",
            original: Array(
                try contents("\(fixtures)/run/metrics.jsonl").split(separator: 10).suffix(6).joined(
                    separator: "\n".utf8)),
            mutator: Mutator(
                isText: true, words: ["null", "{", "[", "\"mean_score\":", "\"metrics\":{}", "\n", "1e99"]))
        return Subject(mutants: [mutant]) { _ in _ = try ScoreTable(settings, baselines: []).text }
    }
}
