import Foundation
import TestSupport
import Testing

@testable import Data

/// The files of SNLI, MultiNLI and SciTail, in all their forms.
struct InferenceReaderTests {
    let folder = TemporaryFolder()

    private static let snli = task("snli", .snli, ["contradiction", "neutral", "entailment"])
    private static let scitail = task("scitail", .scitail, ["neutral", "entails"])

    private static func task(_ name: String, _ format: ExampleFormat, _ labels: [String]) -> TaskDefinition {
        var task = TaskDefinition(
            name: name, kind: .classification(classCount: labels.count, labels: labels), isPair: true,
            metrics: [.accuracy])
        task.format = format
        return task
    }

    private static let header =
        "gold_label\tsentence1_binary_parse\tsentence2_binary_parse\tsentence1_parse\tsentence2_parse\tsentence1\t"
        + "sentence2\tcaptionID\tpairID\tlabel1\tlabel2\tlabel3\tlabel4\tlabel5"

    private static func row(
        _ label: String, _ first: String, _ second: String, _ uid: String, _ annotators: [String]
    ) -> String {
        ([label, "( a )", "( b )", "(ROOT a)", "(ROOT b)", first, second, "c#1", uid] + annotators)
            .joined(separator: "\t")
    }

    private static func json(_ label: String, _ first: String, _ second: String, _ uid: String? = nil) -> String {
        let uid = uid.map { "\"captionID\": \"c#1\", \"pairID\": \"\($0)\", " } ?? ""
        return "{\"annotator_labels\": [\"\(label)\"], \(uid)\"gold_label\": \"\(label)\", "
            + "\"sentence1\": \"\(first)\", \"sentence2\": \"\(second)\"}"
    }

    private func read(
        _ task: TaskDefinition, _ name: String, _ text: String, split: String = "train"
    ) throws -> FileContents<Example> {
        try folder.write(name, text)
        return try task.contents(ofSplit: split, dataFolder: folder.path)
    }

    private func errorOf(_ task: TaskDefinition, _ name: String, _ text: String, split: String = "train") -> String {
        message(in: folder) { try read(task, name, text, split: split) }
    }

    private static let snliRows = [
        Example(uid: "c#1r1n", first: "A \"man\" sleeps.", second: ["He dreams."], label: 1),
        Example(uid: "c#1r1e", first: "Ein M\u{E4}dchen l\u{E4}uft.", second: ["\"Someone runs."], label: 2),
        Example(uid: "c#1r1c", first: "A dog.", second: ["A cat."], label: 0),
    ]

    /// Training rows end after one annotator's label, others hold up to five; CR LF, and no end of the last line.
    private static let snliText = [
        header, row("neutral", "A \"man\" sleeps.", "He dreams.", "c#1r1n", ["neutral"]),
        row("-", "A man.", "", "c#1r1x", ["neutral", "entailment", "", "", ""]),
        row("entailment", "Ein M\u{E4}dchen l\u{E4}uft.", "\"Someone runs.", "c#1r1e", ["entailment", "", "", "", ""]),
        row("contradiction", "A dog.", "A cat.", "c#1r1c", ["contradiction", "neutral"]),
    ]

    private static let snliJSON = [
        json("neutral", "A \\\"man\\\" sleeps.", "He dreams.", "c#1r1n"), json("-", "A man.", "", "c#1r1x"),
        json("entailment", "Ein M\\u00e4dchen l\u{E4}uft.", "\\\"Someone runs.", "c#1r1e"),
        json("contradiction", "A dog.", "A cat.", "c#1r1c"),
    ]

    @Test(arguments: ["\n", "\r\n"], ["", "\u{FEFF}"])
    func readsBothFormsOfSNLI(end: String, mark: String) throws {
        let text = try read(Self.snli, "snli_1.0_train.txt", mark + Self.snliText.joined(separator: end) + end)
        #expect(text.rows == Self.snliRows)
        #expect(text.leftOut.undecidedCount == 1 && text.leftOut.badCount == 0)
        #expect(text.leftOut.summary == "; left out: 1 row labelled \"-\"" && text.leftOut.list == [])
        // Where both forms are there the JSON lines are taken.
        let short = mark + Self.snliJSON.dropFirst().joined(separator: end)
        let json = try read(Self.snli, "snli_1.0_train.jsonl", short)
        #expect(json.rows == Array(Self.snliRows.dropFirst()))
        #expect(json.leftOut == text.leftOut)
        let withoutEnd = Self.snliText.joined(separator: end)
        #expect(try read(Self.snli, "snli_1.0_dev.txt", withoutEnd, split: "dev").rows == Self.snliRows)
    }

    /// MultiNLI has a genre more, and other names of files.
    @Test func readsMultiNLI() throws {
        var task = Self.snli
        task.splits = ["train", "matched_dev", "matched_test"]
        task.data = .files([
            "train": "multinli_1.0_train.jsonl", "matched_dev": "multinli_1.0_dev_matched.txt",
            "matched_test": "multinli_0.9_test_matched_unlabeled.txt",
        ])
        let header =
            "gold_label\tsentence1_binary_parse\tsentence2_binary_parse\tsentence1_parse\tsentence2_parse\tsentence1\t"
            + "sentence2\tpromptID\tpairID\tgenre\tlabel1\tlabel2\tlabel3\tlabel4\tlabel5\n"
        let middle = "( a )\t( b )\t(R a)\t(R b)\tHe left.\tHe stayed.\t7\t7c\tfiction"
        let dev = try read(
            task, "multinli_1.0_dev_matched.txt", header + "contradiction\t\(middle)\tcontradiction\t\t\t\t\n",
            split: "matched_dev")
        #expect(dev.rows == [Example(uid: "7c", first: "He left.", second: ["He stayed."], label: 0)])
        let secret = try read(
            task, "multinli_0.9_test_matched_unlabeled.txt", header + "hidden\t\(middle)\thidden\t\t\t\t\n",
            split: "matched_test")
        #expect(secret.rows == [Example(uid: "7c", first: "He left.", second: ["He stayed."], label: nil)])
        let train = try read(task, "multinli_1.0_train.jsonl", Self.json("entailment", "x", "y", "9e"))
        #expect(train.rows == [Example(uid: "9e", first: "x", second: ["y"], label: 2)])
        task.maximumExamples = 1
        let two = [Self.json("-", "x", "y"), Self.json("entailment", "x", "y"), Self.json("neutral", "x", "y")]
        let first = try read(task, "multinli_1.0_train.jsonl", two.joined(separator: "\n"))
        #expect(first.rows == [Example(uid: "1", first: "x", second: ["y"], label: 2)])
    }

    @Test func labelsOfTestFilesMayBeAbsent() throws {
        let rows = try read(Self.snli, "snli_1.0_test.txt", "sentence1\tsentence2\tpairID\na\tb\t3\n", split: "test")
        #expect(rows.rows == [Example(uid: "3", first: "a", second: ["b"], label: nil)])
        let json = try read(
            Self.snli, "snli_1.0_test.jsonl", #"{"sentence1": "a", "sentence2": "b"}"#, split: "test")
        #expect(json.rows == [Example(uid: "0", first: "a", second: ["b"], label: nil)])
    }

    /// All forms give the same rows, the plain one being preferred; the `.txt` files of the archive hold JSON lines.
    @Test(arguments: ["\n", "\r\n"])
    func readsAllFormsOfSciTail(end: String) throws {
        let expected = [
            Example(uid: "0", first: "Plants \"make\" sugar.", second: ["Sugar is made."], label: 1),
            Example(uid: "1", first: "{Ions} move.", second: ["They rest."], label: 0),
        ]
        let header = "gold_label\tsentence1\tsentence2"
        let forms: [(String, [String])] = [
            (
                "snli_format/scitail_1.0_train.txt",
                [
                    Self.json("entailment", "Plants \\\"make\\\" sugar.", "Sugar is made."),
                    Self.json("neutral", "{Ions} move.", "They rest."),
                ]
            ),
            (
                "snli_format/scitail_1.0_train.jsonl",
                [
                    Self.json("entails", "Plants \\\"make\\\" sugar.", "Sugar is made."),
                    Self.json("neutral", "{Ions} move.", "They rest."),
                ]
            ),
            (
                "tsv_format/scitail_1.0_train.tsv",
                ["Plants \"make\" sugar.\tSugar is made.\tentails", "{Ions} move.\tThey rest.\tneutral"]
            ),
            (
                "scitail_1.0_train.txt",
                [
                    header, "entailment\tPlants \"make\" sugar.\tSugar is made.", "neutral\t{Ions} move.\tThey rest.",
                ]
            ),
            (
                "scitail_1.0_train.tsv",
                ["Plants \"make\" sugar.\tSugar is made.\tentailment", "{Ions} move.\tThey rest.\tneutral"]
            ),
        ]
        for (name, lines) in forms {
            for text in [lines.joined(separator: end), lines.joined(separator: end) + end] {
                try folder.write(name, text)
                // What is written later is preferred to what is there already.
                #expect(try Self.scitail.path(ofSplit: "train", dataFolder: folder.path) == "\(folder.path)/\(name)")
                let contents = try Self.scitail.contents(ofSplit: "train", dataFolder: folder.path)
                #expect(contents.rows == expected, "\(name)")
                #expect(contents.leftOut == LeftOut())
            }
        }
        let other = Self.task("scitail", .scitail, ["neutral", "entailment"])
        #expect(try other.readExamples(split: "train", dataFolder: folder.path) == expected)
    }

    /// The plain form takes braces at a line's start for text.
    @Test func plainRowsMayBeginWithABrace() throws {
        let rows = try read(Self.scitail, "scitail_1.0_dev.tsv", "{Ions} move.\tThey rest.\tneutral\n", split: "dev")
        #expect(rows.rows == [Example(uid: "0", first: "{Ions} move.", second: ["They rest."], label: 0)])
    }

    @Test(arguments: [
        ("entailment\ta\tb\n", "the header has no column sentence1"),
        ("sentence1\tsentence2\n", "the header has no column gold_label, and train is no test split"),
        ("gold_label\tsentence1\n", "the header has no column sentence2"),
    ])
    func refusesHeaders(text: String, reason: String) {
        var task = Self.snli
        #expect(errorOf(task, "snli_1.0_train.txt", text) == "snli_1.0_train.txt:1: \(reason)")
        task.onBadRow = .skip
        #expect(errorOf(task, "snli_1.0_train.txt", text) == "snli_1.0_train.txt:1: \(reason)")
    }

    @Test(arguments: [
        (
            row("neutral", "a", "b", "u", []).replacingOccurrences(of: "\tu", with: ""),
            "8 columns, but the header has 14"
        ),
        (row("neutral", "a", "b", "u", ["", "", "", "", "", ""]), "15 columns, but the header has 14"),
        ("", "an empty line"),
        (row("neutral", " ", "b", "u", ["neutral"]), "an empty sentence in column 6"),
        (row("neutral", "a", "", "u", ["neutral"]), "an empty sentence in column 7"),
        (
            row("entails", "a", "b", "u", ["neutral"]),
            "unknown label \"entails\"; known: contradiction, neutral, entailment"
        ),
        (row("", "a", "b", "u", []), "unknown label \"\"; known: contradiction, neutral, entailment"),
        (row("hidden", "a", "b", "u", []), "unknown label \"hidden\"; known: contradiction, neutral, entailment"),
    ])
    func refusesRows(row: String, reason: String) {
        let text = Self.snliText[0...1].joined(separator: "\n") + "\n\(row)\n"
        #expect(errorOf(Self.snli, "snli_1.0_train.txt", text) == "snli_1.0_train.txt:3: \(reason)")
    }

    @Test(arguments: [
        ("gold_label", "is not JSON"),
        ("", "is not JSON"),
        ("[1]", "is not a JSON object"),
        (#"{"sentence1": "a", "sentence2": "b"}"#, "has no gold_label"),
        (#"{"gold_label": null, "sentence1": "a", "sentence2": "b"}"#, "gold_label is not text"),
        (#"{"gold_label": "neutral", "sentence2": "b"}"#, "has no sentence1"),
        (#"{"gold_label": "neutral", "sentence1": "a", "sentence2": 3}"#, "sentence2 is not text"),
        (#"{"gold_label": "neutral", "sentence1": "a", "sentence2": "\n"}"#, "an empty sentence in sentence2"),
        (
            #"{"gold_label": "yes", "sentence1": "a", "sentence2": "b"}"#,
            "unknown label \"yes\"; known: contradiction, neutral, entailment"
        ),
    ])
    func refusesJSONLines(line: String, reason: String) {
        let name = "snli_1.0_train.jsonl"
        #expect(errorOf(Self.snli, name, "\(Self.snliJSON[0])\n\(line)\n") == "\(name):2: \(reason)")
        #expect(errorOf(Self.snli, name, "\(line)\n") == "\(name):1: \(reason)")
    }

    @Test func refusesPlainRows() {
        let name = "scitail_1.0_train.tsv"
        #expect(
            errorOf(Self.scitail, name, "a\tb\tentails\na\tb\n")
                == "\(name):2: 2 columns, but 3 are expected (premise, hypothesis, label)")
        #expect(errorOf(Self.scitail, name, "a\t\tentails\n") == "\(name):1: an empty sentence in column 2")
        #expect(
            errorOf(Self.scitail, name, "a\tb\tcontradiction\n")
                == "\(name):1: unknown label \"contradiction\"; known: neutral, entails")
        #expect(errorOf(Self.scitail, name, "") == "\(name): the file holds no examples")
    }

    @Test func missingFilesNameTheOthersThatWouldDo() {
        var task = Self.snli
        func error() -> String { message(in: folder) { try task.readExamples(split: "dev", dataFolder: "/nowhere") } }
        #expect(
            error() == "/nowhere/snli_1.0_dev.jsonl: no such file; the path comes from the run's `data: /nowhere` "
                + "and task snli, split dev; there is no snli_1.0_dev.txt either")
        task = Self.scitail
        task.data = .folder("SciTail")
        #expect(
            error() == "/nowhere/SciTail/scitail_1.0_dev.tsv: no such file; the path comes from `data: SciTail` of "
                + "task scitail, split dev, in the run's `data: /nowhere`; there is no scitail_1.0_dev.jsonl, "
                + "scitail_1.0_dev.txt, tsv_format/scitail_1.0_dev.tsv, snli_format/scitail_1.0_dev.jsonl, "
                + "snli_format/scitail_1.0_dev.txt either")
    }

    @Test func nothingIsLeftWhereNobodyAgrees() {
        #expect(
            errorOf(Self.snli, "snli_1.0_train.jsonl", Self.snliJSON[1])
                == "snli_1.0_train.jsonl: the file holds no examples; left out: 1 row labelled \"-\"")
    }

    @Test func mutatedFilesNeverCrash() throws {
        let texts = [
            ("snli_1.0_train.txt", Self.snli, Self.snliText), ("snli_1.0_train.jsonl", Self.snli, Self.snliJSON),
            ("scitail_1.0_train.tsv", Self.scitail, ["a\tb\tentails", "c\td\tneutral"]),
        ]
        var read = 0, refused = 0
        for seed in 0..<1500 {
            var mutator = Mutator(seed: UInt64(seed) + 1)
            let (name, original, lines) = texts[seed % texts.count]
            var task = original
            task.data = .files(["train": name])
            task.onBadRow = seed.isMultiple(of: 2) ? .error : .skip
            try folder.write(name, mutator.mutate(Array(lines.joined(separator: "\n").utf8)))
            do {
                _ = try task.readExamples(split: "train", dataFolder: folder.path)
                read += 1
            } catch { refused += 1 }
        }
        #expect(read > 50 && refused > 50, "\(read) read, \(refused) refused")
    }
}
