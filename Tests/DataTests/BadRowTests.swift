import Foundation
import TestSupport
import Testing

@testable import Data

/// `on_bad_row: skip`: what cannot be read is left out, counted and listed.
struct BadRowTests {
    let folder = TemporaryFolder()

    private static let pair = TaskDefinition(
        name: "p", kind: .classification(classCount: 2, labels: ["not", "yes"]), isPair: true, metrics: [.accuracy])

    private func read(
        _ text: some Sequence<UInt8>, format: ExampleFormat = .canonical, split: String = "train",
        rule: BadRowRule = .skip, maximum: Int? = nil
    ) throws -> FileContents<Example> {
        var task = Self.pair
        task.format = format
        task.onBadRow = rule
        task.maximumExamples = maximum
        task.data = .files([split: "x.tsv"])
        try folder.write("x.tsv", text)
        return try task.contents(ofSplit: split, dataFolder: folder.path)
    }

    private func list(_ leftOut: LeftOut) -> [String] {
        leftOut.list.map { $0.replacingOccurrences(of: folder.path + "/", with: "") }
    }

    @Test func leavesOutEveryKindOfBadRow() throws {
        let text = "a\tyes\tx\n" + "b\tyes\tx\ty\r\n" + "\n" + "c\tmaybe\tx\ty\n" + "d\tnot\t \ty\n" + "e\tnot\tx\tz"
        var bytes = Array(text.utf8)
        bytes += Array("\nf\tyes\tx\t".utf8) + [0xC3, 0x28]
        let contents = try read(bytes)
        #expect(
            contents.rows == [
                Example(uid: "b", first: "x", second: ["y"], label: 1),
                Example(uid: "e", first: "x", second: ["z"], label: 0),
            ])
        #expect(contents.leftOut.badCount == 5 && contents.leftOut.undecidedCount == 0)
        #expect(contents.leftOut.summary == "; left out: 5 bad rows")
        #expect(
            list(contents.leftOut) == [
                "left out: x.tsv:1: 3 columns, but 4 are expected (uid, label, premise, hypothesis)",
                "left out: x.tsv:3: an empty line",
                "left out: x.tsv:4: unknown label \"maybe\"; known: not, yes",
                "left out: x.tsv:5: an empty sentence in column 3",
                "left out: x.tsv:7: not UTF-8 in column 4",
            ])
        #expect(
            message(in: folder) { try read(bytes, rule: .error) }
                == "x.tsv:1: 3 columns, but 4 are expected (uid, label, premise, hypothesis)")
    }

    /// Rows keep the numbers that they have in the file, so that predictions can be laid beside it.
    @Test func rowsKeepTheirNumbers() throws {
        let text = "sentence1\tsentence2\tlabel\na\tb\tyes\na\tb\nc\td\tnot\n"
        let contents = try read(text.utf8, format: .glue)
        #expect(contents.rows.map(\.uid) == ["0", "2"] && contents.rows.map(\.label) == [1, 0])
        #expect(list(contents.leftOut) == ["left out: x.tsv:3: 2 columns, but the header has 3"])
    }

    @Test func headersAndFilesAreNeverSkipped() throws {
        #expect(
            message(in: folder) { try read("a\tb\tc\n1\t2\t3\n".utf8, format: .glue) }
                == "x.tsv:1: the header has none of the columns sentence1, question1, #1 String, question")
        #expect(
            message(in: folder) { try read("sentence1\tsentence2\na\tb\n".utf8, format: .glue, split: "dev") }
                == "x.tsv:1: the header has no column of labels, and dev is no test split")
        #expect(
            message(in: folder) {
                try read(Array("sentence1\tsentence2\tlabel".utf8) + [0xFF, 10], format: .glue)
            } == "x.tsv:1: not UTF-8 in column 3")
        var task = Self.pair
        task.onBadRow = .skip
        #expect(
            message(in: folder) { try task.readExamples(split: "dev", dataFolder: folder.path) }
                .hasPrefix("p_dev.tsv: no such file"))
    }

    @Test func nothingIsLeft() throws {
        #expect(
            message(in: folder) { try read("a\nb\n".utf8) }
                == "x.tsv: the file holds no examples; left out: 2 bad rows; the first in line 1: "
                + "1 column, but 4 are expected (uid, label, premise, hypothesis)")
    }

    @Test func listsTwentyOfThem() throws {
        let text = "a\tyes\tx\ty\n" + String(repeating: "word\n", count: 23)
        let contents = try read(text.utf8)
        #expect(contents.leftOut.badCount == 23 && contents.leftOut.firstBad.map(\.line) == Array(2...21))
        #expect(contents.leftOut.list.count == 21 && contents.leftOut.list.last == "left out: 3 more bad rows")
        let fewer = try read(text.utf8.dropLast(10))
        #expect(fewer.leftOut.list.count == 21 && fewer.leftOut.list.last == "left out: 1 more bad row")
        #expect(try read(text.utf8.dropLast(15)).leftOut.list.count == 20)
    }

    @Test func badRowsDoNotCountTowardsTheLimit() throws {
        let text = "word\na\tyes\tx\ty\nword\nb\tyes\tx\ty\nword\nc\tyes\tx\ty\n"
        let contents = try read(text.utf8, maximum: 2)
        #expect(contents.rows.map(\.uid) == ["a", "b"] && contents.leftOut.badCount == 2)
    }

    @Test func leavesOutTokenisedRows() throws {
        var task = Self.pair
        task.format = .jsonLines
        let good = #"{"uid": 7, "label": 1, "token_id": [2, 9, 3], "type_id": [0, 0, 1]}"#
        let long = #"{"uid": 8, "label": 1, "token_id": [2, 9, 9, 9, 3], "type_id": [0, 0, 1, 1, 1]}"#
        try folder.write("p_train.json", "{\n\(good)\n\(long)\n")
        func contents() throws -> FileContents<TokenizedExample> {
            try task.tokenizedContents(
                ofSplit: "train", dataFolder: folder.path, vocabularySize: 10, maximumLength: 4)
        }
        #expect(message(in: folder) { try contents() } == "p_train.json:1: is not JSON")
        task.onBadRow = .skip
        let read = try contents()
        #expect(read.rows.map(\.uid) == ["7"])
        #expect(
            list(read.leftOut) == [
                "left out: p_train.json:1: is not JSON",
                "left out: p_train.json:3: 5 tokens, more than `max_length` (4)",
            ])
    }
}
