import Crypto
import Foundation
import TestSupport
import Testing

@testable import Data

/// Ids of real data sets, line by line, against the SHA-256 of Hugging Face's ids: the data may not be in the
/// repository.
@Suite(
    .enabled(if: TokenizerFixtures.hasMinilm, "no vocab.txt in MTDNN_MINILM or encoders/minilm"),
    .enabled(if: TokenizerFixtures.hasSharedData, "no folder MTDNN_SHARED_DATA or ../shared/data"))
struct TokenizerCorpusTests {
    private struct Digest: Decodable, Equatable {
        let count: Int
        let sha256: String
    }

    @Test func everyLineOfTheCorporaAsHuggingFace() throws {
        let values = try Data(contentsOf: URL(fileURLWithPath: References.path("tokenizer-corpora.json")))
        let expected = try JSONDecoder().decode([String: Digest].self, from: values)
        #expect(expected.count == 10)
        let tokenizer = Tokenizer(vocabulary: try Vocabulary(path: "\(TokenizerFixtures.minilm)/vocab.txt"))
        for (name, digest) in expected {
            let text = try Data(contentsOf: URL(fileURLWithPath: "\(TokenizerFixtures.sharedData)/\(name)"))
            #expect(self.digest(of: text, tokenizer) == digest, "\(name)")
        }
    }

    /// The hash of all ids as little-endian Int32, -1 after each line.
    private func digest(of text: Data, _ tokenizer: Tokenizer) -> Digest {
        var hash = SHA256()
        let lines = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for line in lines {
            let ids = tokenizer.tokens(of: String(decoding: line, as: UTF8.self)) + [-1]
            ids.map(\.littleEndian).withUnsafeBytes { hash.update(bufferPointer: $0) }
        }
        return Digest(count: lines.count, sha256: hexadecimal(hash.finalize()))
    }
}
