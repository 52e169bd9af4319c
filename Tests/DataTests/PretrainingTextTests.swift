import Foundation
import TestSupport
import Testing

@testable import Data

/// Texts for pre-training: sentences, documents and pairs.
final class PretrainingTextTests {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path

    init() throws { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) }

    deinit {
        do { try FileManager.default.removeItem(atPath: folder) } catch { Issue.record(error) }
    }

    private func read(
        _ text: String, _ format: ExampleFormat, skips: Bool = false
    ) throws -> FileContents<Document> {
        var task = TaskDefinition(
            name: "t", kind: .maskedWords(classCount: 9, wholeWords: false), isPair: true, metrics: [.accuracy])
        task.format = format
        if skips { task.onBadRow = .skip }
        let name = format == .jsonText ? "t_train.json" : "t_train.txt"
        try text.write(toFile: "\(folder)/\(name)", atomically: true, encoding: .isoLatin1)
        return try task.documents(ofSplit: "train", dataFolder: folder)
    }

    private func refusal(_ text: String, _ format: ExampleFormat) -> String {
        do {
            _ = try read(text, format)
            return "none"
        } catch { return "\(error)".replacingOccurrences(of: "\(folder)/", with: "") }
    }

    @Test(arguments: [
        ("One. Two! \u{201C}Three?\u{201D} Four", ["One.", "Two!", "\u{201C}Three?\u{201D}", "Four"]),
        ("It is 3.5 or so.  (Really.) e.g. this", ["It is 3.5 or so.", "(Really.) e.g. this"]),
        (" a\u{A0}b \t c... d... E", ["a b c... d...", "E"]), ("no end", ["no end"]), (" \t", []),
        ("\u{201C}Oh!\u{201D} said she.", ["\u{201C}Oh!\u{201D} said she."]),
    ])
    func `A sentence ends where white space and no small letter follow its mark`(text: String, expected: [String]) {
        #expect(sentences(of: text) == expected)
    }

    @Test func `Lines and empty lines make documents as each format has it`() throws {
        let text = "A a. B\nC\n\nD d\n d.\n\n \n\nE\r\n"
        #expect(try read(text, .text).rows.map(\.sentences) == [["A a.", "B", "C"], ["D d", "d."], ["E"]])
        #expect(try read(text, .book).rows.map(\.sentences) == [["A a.", "B C", "D d d."], ["E"]])
        let lines = #"{"text": "A a. B\nC\n\nD", "id": 3}"# + "\n" + #"{"text": " "}"# + "\n" + #"{"text": "E"}"#
        #expect(try read(lines, .jsonText).rows.map(\.sentences) == [["A a.", "B", "C", "D"], ["E"]])
    }

    @Test func `A line that cannot be read is refused with its place, or left out`() throws {
        #expect(refusal("A\n\u{E9}\n", .text) == "t_train.txt:2: is not UTF-8")
        #expect(refusal("{\"text\": 1}\n", .jsonText) == "t_train.json:1: has no text under \"text\"")
        #expect(refusal("{\n", .jsonText) == "t_train.json:1: is not JSON")
        #expect(refusal(" \n\n", .text) == "t_train.txt: the file holds no text")
        let contents = try read("A\n\u{E9}\nB\n", .text, skips: true)
        #expect(contents.rows.map(\.sentences) == [["A", "B"]] && contents.leftOut.badCount == 1)
    }

    // MARK: Pairs

    private static func vocabulary() throws -> Vocabulary {
        try Vocabulary(path: TokenizerFixtures.smallVocabulary)
    }

    /// Documents of sentences whose tokens say where they stand: 1000 · document + place among the document's tokens, beyond the special ones.
    private static func documents(_ counts: [Int], using random: inout TestRandom) -> FileContents<[[Int32]]> {
        var contents = FileContents<[[Int32]]>()
        for (document, count) in counts.enumerated() {
            var place: Int32 = 100
            contents.rows.append(
                (0..<count).map { _ in
                    let length = Int32.random(in: 1...30, using: &random)
                    defer { place += length }
                    return (place..<(place + length)).map { Int32(document + 1) * 10_000 + $0 }
                })
        }
        return contents
    }

    private struct Pair {
        let first, second: [Int32]
        let isOther: Bool

        init(_ example: TokenizedExample, _ vocabulary: Vocabulary) throws {
            let text = try #require(example.sequences.first)
            let parts = text.tokens.dropFirst().split(separator: vocabulary.separator).map(Array.init)
            try #require(parts.count == 2 && text.tokens.first == vocabulary.classification)
            (first, second, isOther) = (parts[0], parts[1], example.label == 1)
            let segments =
                [UInt8](repeating: 0, count: first.count + 2) + [UInt8](repeating: 1, count: second.count + 1)
            #expect(text.segments == segments && text.tokens.last == vocabulary.separator)
        }

        static func isRun(_ tokens: [Int32]) -> Bool { zip(tokens, tokens.dropFirst()).allSatisfy { $0 + 1 == $1 } }
    }

    @Test(arguments: [12, 64])
    func `Half of the second texts follow the first, the others are from other documents`(length: Int) throws {
        let vocabulary = try Self.vocabulary()
        var random = TestRandom(seed: 8)
        let documents = Self.documents((0..<60).map { $0 % 23 + 1 }, using: &random)
        let examples = documents.pairs(vocabulary, maximumLength: length).rows
        let pairs = try examples.map { try Pair($0, vocabulary) }
        #expect(examples.map(\.uid) == examples.indices.map { "\($0)" })
        for (pair, example) in zip(pairs, examples) {
            #expect(example.sequences[0].tokens.count <= length && Pair.isRun(pair.first) && Pair.isRun(pair.second))
            #expect((pair.first[0] / 10_000 != pair.second[0] / 10_000) == pair.isOther)
            if !pair.isOther { #expect(pair.first.last! < pair.second[0]) }
        }
        let share = Double(pairs.count { $0.isOther }) / Double(pairs.count)
        // Chunks of a single sentence always have a second text from elsewhere.
        #expect(length == 64 ? (0.45..<0.62).contains(share) : share > 0.6)
        if length == 64 {
            let full = examples.count { $0.sequences[0].tokens.count > 56 }
            #expect(Double(full) > 0.6 * Double(examples.count), "pairs are filled up")
            // Nothing but what is cut where sentences do not fit is in no pair.
            let used = Set(pairs.flatMap { $0.first + ($0.isOther ? [] : $0.second) })
            let all = documents.rows.joined().joined()
            #expect(Double(used.count) > 0.85 * Double(all.count))
        }
        #expect(documents.pairs(vocabulary, maximumLength: length).rows.map(\.sequences) == examples.map(\.sequences))
        let fewer = documents.pairs(vocabulary, maximumLength: length, limit: 7).rows
        #expect(fewer.map(\.sequences) == examples.prefix(7).map(\.sequences))
    }

    @Test func `One document alone gives second texts from elsewhere in it`() throws {
        let vocabulary = try Self.vocabulary()
        var random = TestRandom(seed: 9)
        let documents = Self.documents([80], using: &random)
        let pairs = try documents.pairs(vocabulary, maximumLength: 40).rows.map { try Pair($0, vocabulary) }
        for pair in pairs where pair.isOther {
            #expect(pair.first.last! + 1 != pair.second[0], "what follows is not called another")
        }
        #expect(pairs.contains { $0.isOther } && pairs.contains { !$0.isOther })
        // A single sentence has no second text.
        #expect(Self.documents([1], using: &random).pairs(vocabulary, maximumLength: 40).rows.isEmpty)
        #expect(Self.documents([2], using: &random).pairs(vocabulary, maximumLength: 64).rows.count >= 1)
    }
}
