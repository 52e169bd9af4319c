import Crypto
import Foundation
import TestSupport
import Testing

@testable import Data

/// Vocabularies that are learnt from texts.
struct VocabularyTrainerTests {
    private func pieces(_ texts: [String], size: Int, lowercases: Bool = true) throws -> [String] {
        let counts = WordCounts(lowercases: lowercases)
        for text in texts { counts.add(text) }
        return try VocabularyTrainer.pieces(of: counts, size: size)
    }

    @Test func `Characters come first, then the most frequent pairs, of equals those of lower numbers`() throws {
        // Pairs: h+##u 5, ##u+##g 4, ##u+##n 3, p+##u 2; once hu is a piece, hu+##g counts 3, hu+##n 2 and ##u+##g 1.
        let text = "Hug hug hug hun hun pug pun"
        let characters = ["g", "h", "n", "p", "u", "##g", "##n", "##u"]
        let found = try pieces([text], size: 100)
        #expect(Array(found.prefix(5)) == ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
        #expect(Array(found[5..<13]) == characters)
        #expect(Array(found[13...]) == ["hu", "hug", "pu", "hun"])
        #expect(try pieces([text], size: 15) == Array(found.prefix(15)))
    }

    @Test func `Lines of JSON have the words of their texts`() throws {
        let folder = TemporaryFolder()
        let json = #"{"text": "caf\u00e9 caf\u00e9\nplan"}"# + "\n" + #"{"id": 3, "text": "naive \"plan\""}"#
        let path = try folder.write("corpus.json", Array(json.utf8))
        let counts = WordCounts(lowercases: false)
        try counts.add(path: path, isJSON: true)
        let found = counts.sorted.map { "\(String(decoding: $0.word, as: UTF8.self)) \($0.count)" }
        #expect(found == ["\" 2", "café 2", "naive 1", "plan 2"])
        let other = try folder.write("other.json", Array(#"{"texts": "plan"}"#.utf8))
        let error = #expect(throws: ExampleError.self) { try counts.add(path: other, isJSON: true) }
        #expect(error?.line == 1 && error?.message == "has no text under \"text\"")
    }

    /// Pieces as what they are made of, without the special tokens: String's equality is another.
    private func scalars(_ pieces: [String]) -> [[Unicode.Scalar]] {
        pieces.filter { !VocabularyTrainer.specialTokens.contains($0) }.map { Array($0.unicodeScalars) }
    }

    /// What Hugging Face's trainer learns from the same text (tokenizers 0.23.3).
    @Test func `Marks that combine with what stands before them stay what they are`() throws {
        let hindi =
            "\u{915}\u{93E} \u{915}\u{93E} \u{915}\u{93E} \u{915}\u{93F} \u{915}\u{93F} \u{1F44D}\u{1F3FD} \u{1F44D}\u{1F3FD}"
        let found = try pieces([hindi], size: 40)
        let characters = ["\u{915}", "\u{93E}", "\u{93F}", "\u{1F3FD}", "\u{1F44D}"]
        let pairs = ["\u{915}\u{93E}", "\u{915}\u{93F}", "\u{1F44D}\u{1F3FD}"]
        #expect(scalars(found) == scalars(characters + ["##\u{93E}", "##\u{93F}", "##\u{1F3FD}"] + pairs))
        // Equal to Swift's String, not to a vocabulary.
        let cased = try pieces(["\u{E9} e\u{301} \u{E9} e\u{301} \u{212B} \u{C5} \u{C5}"], size: 40, lowercases: false)
        #expect(
            scalars(cased) == scalars(["e", "\u{C5}", "\u{E9}", "\u{301}", "\u{212B}", "##\u{301}", "e\u{301}"]))
    }

    @Test func `A corpus in other parts and another order gives the same vocabulary`() throws {
        var random = TestRandom(seed: 5)
        let words = (0..<400).map { _ in
            (0..<Int.random(in: 1...9, using: &random)).map { _ in "abcdeé".randomElement(using: &random)! }
        }.map { String($0) }
        let one = try pieces([words.joined(separator: " ")], size: 120)
        #expect(one.count == 120 && Set(one).count == 120)
        for _ in 0..<3 {
            #expect(try pieces(words.shuffled(using: &random), size: 120) == one)
        }
    }

    @Test func `Words are those of the tokenizer`() throws {
        let counts = WordCounts()
        counts.add("Caf\u{E9}, caf\u{65}\u{301}\u{200B}s! [CLS] \u{4E00}\u{4E01} " + String(repeating: "x", count: 101))
        let words = counts.sorted.map { String(decoding: $0.word, as: UTF8.self) }
        #expect(words == ["!", ",", "[", "]", "cafe", "cafes", "cls", "\u{4E00}", "\u{4E01}"])
        #expect(counts.total == 9 && counts.count == 9)
        let cased = WordCounts(lowercases: false)
        cased.add("Caf\u{E9} A")
        #expect(cased.sorted.map { String(decoding: $0.word, as: UTF8.self) } == ["A", "Caf\u{E9}"])
    }

    @Test func `A text learnt from can be spelled by the vocabulary, and a vocabulary that is too small is refused`()
        throws
    {
        let text = "She sells sea shells by the sea shore; the shells that she sells are sea shells."
        let found = try pieces([text], size: 60)
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).txt").path
        try found.map { "\($0)\n" }.joined().write(toFile: path, atomically: true, encoding: .utf8)
        let vocabulary = try Vocabulary(path: path)
        try FileManager.default.removeItem(atPath: path)
        let tokens = Tokenizer(vocabulary: vocabulary).tokens(of: text)
        #expect(!tokens.contains(vocabulary.unknown) && tokens.count < 30)
        #expect(throws: VocabularyTrainingError.self) { try self.pieces([text], size: 20) }
        #expect(throws: VocabularyTrainingError.self) { try self.pieces([" "], size: 20) }
    }

    /// What Hugging Face's trainer makes of a real book, its characters numbered as ours (`References/vocabulary.py`).
    @Test(
        .enabled(if: TokenizerFixtures.hasSharedData, "no folder MTDNN_SHARED_DATA or ../shared/data"),
        arguments: [("uncased", true), ("cased", false)])
    func `A book's vocabulary is that of Hugging Face`(name: String, lowercases: Bool) throws {
        let reference = try References.json("vocabulary.json", as: [String: String].self)
        let counts = WordCounts(lowercases: lowercases)
        try counts.add(path: "\(TokenizerFixtures.sharedData)/books/pride-and-prejudice.txt")
        let found = try VocabularyTrainer.pieces(of: counts, size: 6000)
        let digest = SHA256.hash(data: Foundation.Data(found.map { "\($0)\n" }.joined().utf8))
        #expect(found.count == 6000 && hexadecimal(digest) == reference[name])
    }
}
