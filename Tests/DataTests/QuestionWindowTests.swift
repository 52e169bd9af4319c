import Crypto
import Foundation
import TestSupport
import Testing

@testable import Data

/// Contexts cut into windows, against Hugging Face's tokenizers and transformers (`Tests/References/questions.py`).
struct QuestionWindowTests {
    private struct Ranges: Decodable {
        let o: String  // options
        let t: String  // text
        let i: [Int32]  // ids
        let r: [Int]  // start and end of each token in characters
    }

    private struct Case: Decodable {
        struct Window: Decodable {
            let ids: [Int32]
            let segments: [UInt8]
            let offsets, widest: [Int]
            let start, end: Int
        }

        let question, context: String
        let answer: String?
        let answerStart, maximum, stride: Int
        let windows: [Window]

        enum CodingKeys: String, CodingKey {
            case question, context, answer, maximum, stride, windows
            case answerStart = "answer_start"
        }
    }

    private struct Digest: Decodable, Equatable {
        let windows, answered: Int
        let sha256: String
    }

    private func decoded<Value: Decodable>(_ name: String, _ type: Value.Type) throws -> Value {
        try JSONDecoder().decode(type, from: Data(contentsOf: URL(fileURLWithPath: References.path(name))))
    }

    /// Bytes of a text's UTF-8 as Python counts: in Unicode scalars.
    private func characters(_ ranges: [Range<Int>], in text: String) -> [Int] {
        var places = [Int](repeating: 0, count: text.utf8.count + 1)
        var byte = 0
        for (index, scalar) in text.unicodeScalars.enumerated() {
            places[byte] = index
            byte += String(scalar).utf8.count
            places[byte] = index + 1
        }
        return ranges.flatMap { [places[$0.lowerBound], places[$0.upperBound]] }
    }

    private func byte(_ character: Int, of text: String) -> Int {
        text.unicodeScalars.prefix(character).reduce(0) { $0 + String($1).utf8.count }
    }

    @Test func `Tokens stand where Hugging Face says`() throws {
        let vocabulary = try Vocabulary(path: TokenizerFixtures.smallVocabulary)
        var tokenizers: [String: Tokenizer] = [:]
        let cases = try decoded("token-ranges.json", [Ranges].self)
        for test in cases {
            let tokenizer = tokenizers[test.o] ?? TokenizerFixtures.tokenizer(vocabulary, options: test.o)
            tokenizers[test.o] = tokenizer
            let (tokens, ranges) = tokenizer.tokensWithRanges(of: test.t)
            #expect(tokens == test.i && tokens == tokenizer.tokens(of: test.t))
            let text = test.t.unicodeScalars.map { $0.escaped(asASCII: true) }.joined()
            #expect(characters(ranges, in: test.t) == test.r, "options \(test.o): \(text)")
        }
        #expect(cases.count > 1000)
    }

    @Test func `Windows, marks and places are those of the recipe`() throws {
        let tokenizer = Tokenizer(vocabulary: try Vocabulary(path: TokenizerFixtures.smallVocabulary))
        let cases = try decoded("question-windows.json", [Case].self)
        for (index, test) in cases.enumerated() {
            var example = Example(uid: "q", first: test.question, second: [test.context], label: 0)
            example.answers = test.answer.map {
                [AnswerSpan(text: $0, start: byte(test.answerStart, of: test.context))]
            }
            example.answers = example.answers ?? []
            let encoded = tokenizer.encode(example, maximumLength: test.maximum, documentStride: test.stride)
            let context = try #require(encoded.context)
            #expect(encoded.sequences.map(\.tokens) == test.windows.map(\.ids), "case \(index)")
            #expect(encoded.sequences.map(\.segments) == test.windows.map(\.segments), "case \(index)")
            #expect(
                context.ranges.map { characters($0, in: test.context) } == test.windows.map(\.offsets), "case \(index)")
            let expected = test.windows.flatMap { window in
                window.widest.indices.map { token in
                    Int32((token == window.start ? 1 : 0) + (token == window.end ? 2 : 0) + 4 * window.widest[token])
                }
            }
            #expect(encoded.tokenLabels == expected, "case \(index)")
            #expect(context.text == test.context && context.answers == (test.answer.map { [$0] } ?? []))
        }
        #expect(cases.count == 60 && cases.contains { $0.windows.count > 5 })
    }

    @Test func `Without a label nothing is marked as the answer, and a context that vanishes has a token`() throws {
        let tokenizer = Tokenizer(vocabulary: try Vocabulary(path: TokenizerFixtures.smallVocabulary))
        var example = Example(uid: "q", first: "the?", second: ["\u{200B}\u{200C}"], label: nil)
        example.answers = []
        let encoded = tokenizer.encode(example, maximumLength: 16)
        #expect(encoded.tokenLabels == [0, 0, 0, 0, 4, 0] && encoded.context?.ranges[0][4] == 0..<6)
        #expect(encoded.sequences[0].tokens[4] == tokenizer.vocabulary.unknown && encoded.label == nil)
    }

    @Test func `An answer of space around words is its words, and one of nothing is at [CLS]`() throws {
        let tokenizer = Tokenizer(vocabulary: try Vocabulary(path: TokenizerFixtures.smallVocabulary))
        let context = "the lamp \u{200B} a whale"
        for (text, start, marks) in [
            (" lamp ", 3, [0, 0, 0, 4, 7, 4, 4, 0]), ("\u{200B}", 9, [3, 0, 0, 4, 4, 4, 4, 0]),
            ("amp \u{200B} a wh", 5, [0, 0, 0, 4, 5, 4, 6, 0]),
        ] as [(String, Int, [Int32])] {
            var example = Example(uid: "q", first: "the", second: [context], label: 1)
            example.answers = [AnswerSpan(text: text, start: start)]
            #expect(tokenizer.encode(example, maximumLength: 16).tokenLabels == marks, "\(text)")
        }
    }

    @Test(
        .enabled(if: TokenizerFixtures.hasMinilm, "no vocab.txt in MTDNN_MINILM or encoders/minilm"),
        .enabled(if: TokenizerFixtures.hasSharedData, "no folder MTDNN_SHARED_DATA or ../shared/data"))
    func everyWindowOfTheRealFileAsInTheRecipe() throws {
        var task = TaskDefinition(
            name: "squad", kind: .span(allowsNone: true, stride: 128), isPair: true, metrics: [.answerOrNoneF1])
        task.format = .squad
        task.data = .files(["dev": "squad/dev-v2.0.json"])
        let questions = try task.readExamples(split: "dev", dataFolder: TokenizerFixtures.sharedData)
        #expect(questions.count == 6078 && questions.count { $0.label == 1 } == 2910)
        let tokenizer = Tokenizer(vocabulary: try Vocabulary(path: "\(TokenizerFixtures.minilm)/vocab.txt"))
        var hash = SHA256()
        var count = 0, answered = 0
        for question in questions {
            let encoded = tokenizer.encode(question, maximumLength: 384, documentStride: 128)
            let context = try #require(encoded.context)
            var first = 0
            for (sequence, ranges) in zip(encoded.sequences, context.ranges) {
                let marks = encoded.tokenLabels[first..<(first + ranges.count)].map { Int($0) }
                first += ranges.count
                let start = marks.firstIndex { $0 & 1 != 0 } ?? -1, end = marks.firstIndex { $0 & 2 != 0 } ?? -1
                let offsets = characters(ranges, in: context.text)
                let numbers = sequence.tokens.map { Int($0) } + offsets + [start, end] + marks.map { $0 >> 2 }
                numbers.map { Int32($0).littleEndian }.withUnsafeBytes { hash.update(bufferPointer: $0) }
                count += 1
                if start > 0 { answered += 1 }
            }
        }
        let found = Digest(windows: count, answered: answered, sha256: hexadecimal(hash.finalize()))
        #expect(found == (try decoded("question-corpus.json", Digest.self)))
    }
}
