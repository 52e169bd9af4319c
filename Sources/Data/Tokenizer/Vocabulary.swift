import Foundation
import Storage

/// The WordPieces of an encoder: a token's id is its line in `vocab.txt`, counted from zero.
public struct Vocabulary: Sendable {
    /// The id of `[PAD]`, which fills unused places.
    public let padding: Int32
    /// The id of `[UNK]`, which stands for a word that the vocabulary cannot spell.
    public let unknown: Int32
    /// The id of `[CLS]`, which opens every sequence.
    public let classification: Int32
    /// The id of `[SEP]`, which closes every text.
    public let separator: Int32
    /// The id of `[MASK]`, which hides a word in pre-training.
    public let mask: Int32

    /// Bytes of the longest word that is looked up, with `##` before it.
    private static let longestToken = TextScanner.wordCapacity + 2
    private let tokens: [String]
    let trie: WordPieceTrie

    /// Reads a vocabulary of one token per line; lines end in LF or CRLF.
    public init(path: String) throws(TokenizerError) {
        var bytes: [UInt8]
        do {
            bytes = [UInt8](try contents(ofFile: path))
        } catch {
            throw .unreadable(path: path, reason: error.reason)
        }
        if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }

        // Keyed by bytes: Swift's String takes é and e + ´ for equal, and a vocabulary may hold both.
        var ids: [ArraySlice<UInt8>: Int32] = [:]
        var tokens: [String] = []
        for (index, line) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
            let key = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
            if key.isEmpty { throw .emptyLine(path: path, line: index + 1) }
            // The trie has a level for each byte.
            if key.count > Self.longestToken {
                throw .overlong(path: path, line: index + 1, byteCount: key.count, limit: Self.longestToken)
            }
            let token = String(decoding: key, as: UTF8.self)
            // Decoding repairs what is not UTF-8, so only valid lines survive the round trip.
            if !token.utf8.elementsEqual(key) { throw .notUTF8(path: path, line: index + 1) }
            if let first = ids.updateValue(Int32(index), forKey: key) {
                throw .duplicate(path: path, line: index + 1, token: token, firstLine: Int(first) + 1)
            }
            tokens.append(token)
        }

        func special(_ token: String) throws(TokenizerError) -> Int32 {
            guard let id = ids[ArraySlice(token.utf8)] else { throw .missing(path: path, token: token) }
            return id
        }
        padding = try special("[PAD]")
        unknown = try special("[UNK]")
        classification = try special("[CLS]")
        separator = try special("[SEP]")
        mask = try special("[MASK]")
        self.tokens = tokens
        trie = WordPieceTrie(ids)
    }

    /// How many tokens there are; ids run from zero to `count - 1`.
    public var count: Int { tokens.count }

    /// The token of an id below `count`.
    public func token(_ id: Int32) -> String { tokens[Int(id)] }

    /// The id of a token (`play`, `##ing`, `[MASK]`), or nil where the vocabulary lacks it.
    public func id(of token: String) -> Int32? { trie.id(of: Array(token.utf8)) }

    /// For each id whether the token goes on with a word (`##ing`).
    public var continuations: [Bool] { tokens.map { $0.utf8.count > 2 && $0.utf8.starts(with: "##".utf8) } }

    /// The ids of `[PAD]`, `[UNK]`, `[CLS]`, `[SEP]` and `[MASK]`.
    public var specialIDs: [Int32] { [padding, unknown, classification, separator, mask] }

    /// The tokens recognised when they are spelled out in a text.
    var specialTokens: [SpecialToken] {
        specialIDs.map {
            SpecialToken(id: $0, spelling: Array(token($0).utf8))
        }
    }

    /// Throws where `file` adds tokens to these that Hugging Face would take whole wherever a text has them.
    func requireSpecial(_ added: [String], _ file: String) throws(TokenizerError) {
        let special = specialIDs.map(token)
        guard let other = added.first(where: { !special.contains($0) }) else { return }
        throw .badConfiguration(
            path: file,
            reason: "adds the token \"\(other)\", which would be split here; take an encoder without added tokens")
    }
}

/// A token such as `[MASK]` that a text may spell out.
struct SpecialToken: Sendable {
    let id: Int32
    let spelling: [UInt8]
}
