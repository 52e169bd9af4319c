import Foundation

/// A text or a pair of texts as the encoder reads it.
public struct EncodedText: Sendable, Equatable {
    /// The ids of `[CLS] first [SEP]` or `[CLS] first [SEP] second [SEP]`.
    public let tokens: [Int32]
    /// Zero for the first text with its `[CLS]` and `[SEP]`, one for the second with its `[SEP]`.
    public let segments: [UInt8]

    /// A sequence of given ids.
    public init(tokens: [Int32], segments: [UInt8]) {
        self.tokens = tokens
        self.segments = segments
    }
}

/// BERT's tokenizer: text to WordPieces, id for id what Hugging Face's `BertTokenizerFast` returns.
///
/// A text is cleaned of control characters, ideographs are set apart, accents stripped, letters lower-cased; then it is
/// split at white space and around every punctuation mark, and each word into the longest WordPieces from its start.
/// The special tokens (`[CLS]`, `[MASK]`, ...) are recognised where a text spells them in exactly these capitals, even
/// inside a word, and what stands before and after is tokenized by itself.
public struct Tokenizer: Sendable {
    /// The WordPieces and their ids.
    public let vocabulary: Vocabulary

    private let rules: CharacterRules
    private let specialTokens: [SpecialToken]

    /// Reads a model's folder: `vocab.txt`, and `tokenizer_config.json` where there is one (otherwise uncased BERT).
    public init(folder: String) throws(TokenizerError) {
        let vocabulary = try Vocabulary(path: "\(folder)/vocab.txt")
        let configuration = "\(folder)/tokenizer_config.json"
        let options =
            FileManager.default.fileExists(atPath: configuration)
            ? try TokenizerOptions(path: configuration) : TokenizerOptions()
        try vocabulary.requireSpecial(options.addedTokens, configuration)
        let additions = "\(folder)/added_tokens.json"
        if FileManager.default.fileExists(atPath: additions) {
            let identifiers: [String: Int] = try TokenizerOptions.decode(additions)
            try vocabulary.requireSpecial(identifiers.keys.sorted(), additions)
        }
        self.init(
            vocabulary: vocabulary, lowercases: options.lowercases, stripsAccents: options.stripsAccents,
            isolatesIdeographs: options.isolatesIdeographs)
    }

    /// A tokenizer with given options; accents are stripped exactly when letters are lower-cased, unless told
    /// otherwise.
    public init(
        vocabulary: Vocabulary, lowercases: Bool = true, stripsAccents: Bool? = nil, isolatesIdeographs: Bool = true
    ) {
        self.vocabulary = vocabulary
        rules = CharacterRules(
            lowercases: lowercases, stripsAccents: stripsAccents ?? lowercases, isolatesIdeographs: isolatesIdeographs)
        specialTokens = vocabulary.specialTokens
    }

    /// `[CLS] text [SEP]`, the text cut at its end so that there are at most `maximumLength` tokens (at least two).
    public func encode(_ text: String, maximumLength: Int = .max) -> EncodedText {
        precondition(maximumLength >= 2, "no room for [CLS] and [SEP]")
        var tokens = [vocabulary.classification]
        append(text, to: &tokens, limit: maximumLength - 1)
        tokens.removeLast(max(0, tokens.count - (maximumLength - 1)))
        tokens.append(vocabulary.separator)
        return EncodedText(tokens: tokens, segments: [UInt8](repeating: 0, count: tokens.count))
    }

    /// `[CLS] first [SEP] second [SEP]`, the longer text cut first so that there are at most `maximumLength` tokens (at
    /// least three).
    public func encode(_ first: String, _ second: String, maximumLength: Int = .max) -> EncodedText {
        precondition(maximumLength >= 3, "no room for [CLS] and two [SEP]")
        let (first, second) = (tokens(of: first), tokens(of: second))
        let kept = truncatedCounts(first: first.count, second: second.count, maximum: maximumLength - 3)
        var tokens = [vocabulary.classification]
        tokens.reserveCapacity(kept.first + kept.second + 3)
        tokens += first.prefix(kept.first)
        tokens.append(vocabulary.separator)
        var segments = [UInt8](repeating: 0, count: tokens.count)
        tokens += second.prefix(kept.second)
        tokens.append(vocabulary.separator)
        segments += repeatElement(1, count: tokens.count - segments.count)
        return EncodedText(tokens: tokens, segments: segments)
    }

    /// The WordPieces of a text alone, without `[CLS]` and `[SEP]`.
    public func tokens(of text: String) -> [Int32] {
        var tokens: [Int32] = []
        append(text, to: &tokens, limit: .max)
        return tokens
    }

    /// The WordPieces of a text alone, and for each the bytes of the text's UTF-8 that it stands for: Hugging Face's `offset_mapping`, in bytes.
    public func tokensWithRanges(of text: String) -> (tokens: [Int32], ranges: [Range<Int>]) {
        var tokens: [Int32] = []
        let ranges = append(text, to: &tokens, limit: .max, keepsRanges: true)
        return (tokens, ranges)
    }

    @discardableResult
    private func append(
        _ text: String, to tokens: inout [Int32], limit: Int, keepsRanges: Bool = false
    ) -> [Range<Int>] {
        var text = text
        return text.withUTF8 { bytes in
            // English prose has some four bytes per token, so mostly this is the only allocation.
            tokens.reserveCapacity(tokens.count + min(limit, bytes.count / 4 + 8))
            return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: TextScanner.wordCapacity) { word in
                withUnsafeTemporaryAllocation(of: Int.self, capacity: TextScanner.wordCapacity) { sources in
                    rules.table.withUnsafeBufferPointer { table in
                        vocabulary.trie.nodes.withUnsafeBufferPointer { nodes in
                            var scanner = TextScanner(
                                rules: rules, table: table.baseAddress!, nodes: nodes.baseAddress!,
                                specialTokens: specialTokens, unknown: vocabulary.unknown, text: bytes,
                                word: word.baseAddress!, sources: sources.baseAddress!, keepsRanges: keepsRanges)
                            scanner.append(to: &tokens, limit: limit)
                            return scanner.ranges
                        }
                    }
                }
            }
        }
    }
}
