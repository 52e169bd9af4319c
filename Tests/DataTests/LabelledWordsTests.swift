import Foundation
import TestSupport
import Testing

@testable import Data

/// Sentences whose words have labels: mt-dnn's lists, and columns.
final class LabelledWordsTests {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path

    init() throws { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) }

    deinit {
        do { try FileManager.default.removeItem(atPath: folder) } catch { Issue.record(error) }
    }

    private func task(_ format: ExampleFormat, skips: Bool = false) -> TaskDefinition {
        var task = TaskDefinition(
            name: "ner", kind: .labelling(labels: ["O", "B-PER", "I-PER"]), isPair: false, metrics: [.entityF1])
        task.format = format
        if skips { task.onBadRow = .skip }
        return task
    }

    private func read(
        _ text: String, _ format: ExampleFormat, split: String = "train", skips: Bool = false
    ) throws -> FileContents<Example> {
        let name = format == .conll ? "ner_\(split).txt" : "ner_\(split).tsv"
        try text.write(toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8)
        return try task(format, skips: skips).contents(ofSplit: split, dataFolder: folder)
    }

    private func refusal(_ text: String, _ format: ExampleFormat) -> String {
        do {
            _ = try read(text, format)
            return "none"
        } catch { return "\(error)".replacingOccurrences(of: "\(folder)/", with: "") }
    }

    @Test func `Lists are read as Python prints them`() throws {
        let rows = try read(
            "a\t['O', 'B-PER']\t['Hi', 'Ann']\nb\t[\"O\",\"O\" , 'I-PER']\t[\"it's\", 'say \\'so\\'', \"\\\"\"]\n",
            .canonical
        ).rows
        #expect(rows.map(\.uid) == ["a", "b"])
        #expect(rows.map(\.words) == [["Hi", "Ann"], ["it's", "say 'so'", "\""]])
        #expect(rows.map(\.wordLabels) == [[0, 1], [0, 0, 2]])
        #expect(rows.map(\.label) == [2, 3])
    }

    @Test func `Escapes in lists are Python's`() throws {
        let words = #"['a\xa0b', '\u200bc', '\U0001f600', '\n\r\t', 'd\\e']"#
        let rows = try read("a\t['O', 'O', 'O', 'O', 'O']\t\(words)\n", .canonical).rows
        #expect(rows.map(\.words) == [["a\u{A0}b", "\u{200B}c", "😀", "\n\r\t", "d\\e"]])
        for escape in [#"\xa"#, #"\ud800"#, #"\q"#, #"\U00110000"#, "\\"] {
            #expect(
                refusal("a\t['O']\t['\(escape)']\n", .canonical).contains("is not a list of quoted texts"), "\(escape)")
        }
    }

    @Test func `Columns are read up to an empty line, documents' marks apart`() throws {
        let text = "-DOCSTART- -X- O O\n\nEU NNP I-NP O\r\nAnn NNP B-PER\n\n\n\nLee I-PER"
        let rows = try read(text, .conll).rows
        #expect(rows.map(\.words) == [["EU", "Ann"], ["Lee"]])
        #expect(rows.map(\.wordLabels) == [[0, 1], [2]] && rows.map(\.uid) == ["0", "1"])
    }

    @Test func `A test split may lack labels`() throws {
        let rows = try read("EU\nAnn\n\nLee I-PER\n", .conll, split: "test").rows
        #expect(rows.map(\.wordLabels) == [[TokenLabel.unknown, TokenLabel.unknown], [2]])
        #expect(rows.map(\.label) == [nil, 1])
    }

    @Test func `Mistakes are named, or their sentences left out`() throws {
        #expect(refusal("a\t['O']\t['Hi', 'Ann']\n", .canonical) == "ner_train.tsv:1: 1 labels, but 2 words")
        #expect(refusal("a\t[]\t[]\n", .canonical) == "ner_train.tsv:1: a sentence without words")
        #expect(refusal("a\t['O', 'O']\t['Hi', '']\n", .canonical) == "ner_train.tsv:1: word 2 of 2 is empty")
        let list = "ner_train.tsv:1: column 2 is not a list of quoted texts, as in ['O', 'B-PER']"
        for text in ["O", "['O'", "['O", "['O'] x", "[O]", "['O',]"] {
            #expect(refusal("a\t\(text)\t['Hi']\n", .canonical) == list, "\(text)")
        }
        #expect(
            refusal("a\t['X']\t['Hi']\n", .canonical) == "ner_train.tsv:1: unknown label \"X\"; known: O, B-PER, I-PER")
        let columns = "Hi O\n\nAnn\nLee O\n\nEve B-PERS\n\nBob B-PER\n"
        #expect(refusal(columns, .conll) == "ner_train.txt:3: 1 column, but a word and its label are expected")
        let contents = try read(columns, .conll, skips: true)
        #expect(contents.rows.map(\.words) == [["Hi"], ["Bob"]])
        #expect(contents.leftOut.firstBad.map(\.line) == [3, 6])
    }

    @Test func `A word's label stands at its first piece, and words beyond the length are cut off whole`() throws {
        let path = "\(folder)/vocab.txt"
        try "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nan\n##n\nlee\n".write(toFile: path, atomically: true, encoding: .utf8)
        let tokenizer = Tokenizer(vocabulary: try Vocabulary(path: path))
        var example = Example(uid: "a", first: "", label: 3)
        example.words = ["Ann", "\u{200B}", "Lee"]
        example.wordLabels = [1, 0, 2]
        let whole = tokenizer.encode(example, maximumLength: 6)
        #expect(whole.sequences[0].tokens == [2, 5, 6, 1, 7, 3])
        #expect(whole.tokenLabels == [-1, 1, -1, 0, 2, -1] && whole.label == 3)
        let cut = tokenizer.encode(example, maximumLength: 5)
        #expect(cut.sequences[0].tokens == [2, 5, 6, 1, 3] && cut.tokenLabels == [-1, 1, -1, 0, -1] && cut.label == 2)
        // Of a first word that is too long what fits is kept: a sentence without words has nothing to learn.
        let first = tokenizer.encode(example, maximumLength: 3)
        #expect(first.sequences[0].tokens == [2, 5, 3] && first.tokenLabels == [-1, 1, -1] && first.label == 1)
    }
}
