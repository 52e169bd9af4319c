import Foundation
import TestSupport
import Testing

@testable import Data

/// Ids of thousands of texts and pairs, real and hostile, from Hugging Face (`Tests/References/tokenizer.py`).
@Suite struct TokenizerReferenceTests {
    @Test func everyTextUnderTheSmallVocabularyAsHuggingFace() throws {
        let cases = try check("tokenizer-small.jsonl", Vocabulary(path: TokenizerFixtures.smallVocabulary))
        #expect(cases == 3500)
    }

    @Test(.enabled(if: TokenizerFixtures.hasMinilm, "no vocab.txt in MTDNN_MINILM or encoders/minilm"))
    func everyTextUnderMinilmAsHuggingFace() throws {
        let cases = try check("tokenizer-minilm.jsonl", Vocabulary(path: "\(TokenizerFixtures.minilm)/vocab.txt"))
        #expect(cases == 3000)
    }

    @Test func segmentsAndTokensOfAPair() throws {
        let tokenizer = Tokenizer(vocabulary: try Vocabulary(path: TokenizerFixtures.smallVocabulary))
        let encoded = tokenizer.encode("the lamp", "a whale!")
        let spelled = encoded.tokens.map(tokenizer.vocabulary.token)
        #expect(spelled.first == "[CLS]" && spelled.last == "[SEP]")
        #expect(encoded.segments.count == spelled.count)
        let boundary = try #require(spelled.firstIndex(of: "[SEP]"))
        #expect(encoded.segments == spelled.indices.map { $0 <= boundary ? 0 : 1 })
        #expect(tokenizer.encode("the lamp").segments == [0, 0, 0, 0])
    }

    /// One line of the reference file.
    private struct Case: Decodable {
        let o: String  // options
        let t: [String]  // text, or first and second
        let m: Int  // maximum length, 0 for none
        let i: [Int32]  // ids
    }

    /// Compares every line and returns how many there are.
    private func check(_ file: String, _ vocabulary: Vocabulary) throws -> Int {
        let lines = try Data(contentsOf: URL(fileURLWithPath: References.path(file))).split(separator: 10)
        var tokenizers: [String: Tokenizer] = [:]
        for line in lines {
            let expected = try JSONDecoder().decode(Case.self, from: line)
            let tokenizer = tokenizers[expected.o] ?? TokenizerFixtures.tokenizer(vocabulary, options: expected.o)
            tokenizers[expected.o] = tokenizer
            let maximum = expected.m == 0 ? Int.max : expected.m
            let encoded =
                expected.t.count == 1
                ? tokenizer.encode(expected.t[0], maximumLength: maximum)
                : tokenizer.encode(expected.t[0], expected.t[1], maximumLength: maximum)
            #expect(
                encoded.tokens == expected.i, "options \(expected.o), at most \(expected.m): \(escaped(expected.t))")
            #expect(encoded.segments.count == encoded.tokens.count)
        }
        return lines.count
    }

    private func escaped(_ texts: [String]) -> String {
        texts.map { $0.unicodeScalars.map { $0.escaped(asASCII: true) }.joined() }.joined(separator: " | ")
    }
}
