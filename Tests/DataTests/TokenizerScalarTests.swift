import Crypto
import Foundation
import TestSupport
import Testing

@testable import Data

/// The words that every scalar of the planes in use makes between two letters, as Hugging Face's normalizer and
/// splitter.
///
/// Hashed by blocks of 4096, so that a failure names where to look. Should a newer Swift bring lower-case letters that
/// the reference's compiler did not know, the block of those letters fails and nothing else.
@Suite struct TokenizerScalarTests {
    @Test(arguments: ["lsc", "lc", "sc", ""])
    func everyScalarAsHuggingFace(options: String) throws {
        let values = try Data(contentsOf: URL(fileURLWithPath: References.path("tokenizer-scalars.json")))
        let expected = try #require(JSONDecoder().decode([String: [String: String]].self, from: values)[options])
        #expect(expected.count == 55)
        let words = WordSplitter(options: options)
        for (name, digest) in expected {
            let first = try #require(UInt32(name, radix: 16))
            let lines = (first..<first + 0x1000).compactMap(Unicode.Scalar.init).map { scalar in
                words.split("a\(scalar)b") + [UInt8(ascii: "\n")]
            }
            #expect(hexadecimal(SHA256.hash(data: Array(lines.joined()))) == digest, "scalars from U+\(name) on")
        }
    }
}

/// The words of a text, with a trie of all single bytes in place of a vocabulary: each byte of a word is a token.
private struct WordSplitter {
    let rules: CharacterRules
    let trie: WordPieceTrie

    init(options: String) {
        rules = CharacterRules(
            lowercases: options.contains("l"), stripsAccents: options.contains("s"),
            isolatesIdeographs: options.contains("c"))
        var ids: [ArraySlice<UInt8>: Int32] = [:]
        for byte in UInt8.min...UInt8.max {
            ids[[byte]] = Int32(byte)
            ids[Array("##".utf8) + [byte]] = Int32(byte) + 256
        }
        trie = WordPieceTrie(ids)
    }

    /// The words in UTF-8, separated by spaces.
    func split(_ text: String) -> [UInt8] {
        var text = text
        var tokens: [Int32] = []
        let word = UnsafeMutablePointer<UInt8>.allocate(capacity: TextScanner.wordCapacity)
        let sources = UnsafeMutablePointer<Int>.allocate(capacity: TextScanner.wordCapacity)
        defer {
            word.deallocate()
            sources.deallocate()
        }
        text.withUTF8 { bytes in
            rules.table.withUnsafeBufferPointer { table in
                trie.nodes.withUnsafeBufferPointer { nodes in
                    var scanner = TextScanner(
                        rules: rules, table: table.baseAddress!, nodes: nodes.baseAddress!, specialTokens: [],
                        unknown: -1, text: bytes, word: word, sources: sources, keepsRanges: false)
                    scanner.append(to: &tokens, limit: .max)
                }
            }
        }
        let separated = tokens.flatMap { $0 < 256 ? [UInt8(ascii: " "), UInt8($0)] : [UInt8($0 - 256)] }
        return Array(separated.dropFirst())
    }
}

/// A digest as lower-case hexadecimal digits.
func hexadecimal(_ digest: some Sequence<UInt8>) -> String {
    digest.map { String(UInt16($0) + 0x100, radix: 16).dropFirst() }.joined()
}
