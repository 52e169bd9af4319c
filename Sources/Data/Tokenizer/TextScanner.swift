/// One pass over a text: cleans, normalizes, splits into words and appends their WordPieces.
///
/// All memory is the caller's and all pointers are borrowed, so a text costs no allocation but for the tokens
/// themselves.
struct TextScanner {
    /// Longer words are unknown, as for Hugging Face (`max_input_chars_per_word`), counted in scalars after
    /// normalization.
    static let maximumWordLength = 100
    /// Room for the longest known word in UTF-8.
    static let wordCapacity = maximumWordLength * 4

    let rules: CharacterRules
    let table: UnsafePointer<CharacterRule>
    let nodes: UnsafePointer<WordPieceTrie.Node>
    let specialTokens: [SpecialToken]
    let unknown: Int32

    let text: UnsafeBufferPointer<UInt8>

    /// The word under construction and its lengths in bytes and scalars; of an overlong word only the count goes on.
    let word: UnsafeMutablePointer<UInt8>
    var byteCount = 0
    var scalarCount = 0
    /// For each byte of the word where the scalar of the text starts that it came from.
    let sources: UnsafeMutablePointer<Int>
    /// Where the scalar starts that is at hand; of the word, also an overlong one, the last.
    var source = 0
    private var lastSource = 0
    /// Takes each word that is not too long, in place of its WordPieces: for a corpus that a vocabulary is learnt from.
    var receiveWord: ((UnsafeBufferPointer<UInt8>) -> Void)?

    /// Whether `ranges` are wanted.
    let keepsRanges: Bool
    /// For each token the bytes of the text that it stands for.
    private(set) var ranges: [Range<Int>] = []

    init(
        rules: CharacterRules, table: UnsafePointer<CharacterRule>, nodes: UnsafePointer<WordPieceTrie.Node>,
        specialTokens: [SpecialToken], unknown: Int32, text: UnsafeBufferPointer<UInt8>,
        word: UnsafeMutablePointer<UInt8>, sources: UnsafeMutablePointer<Int>, keepsRanges: Bool
    ) {
        self.rules = rules
        self.table = table
        self.nodes = nodes
        self.specialTokens = specialTokens
        self.unknown = unknown
        self.text = text
        self.word = word
        self.sources = sources
        self.keepsRanges = keepsRanges
    }

    /// Appends the tokens of the text; stops after the word that reaches `limit` tokens.
    mutating func append(to tokens: inout [Int32], limit: Int) {
        var position = 0
        while position < text.count && tokens.count < limit {
            let byte = text[position]
            source = position
            if byte < 0x80 {
                let rule = table[Int(byte)]
                // Any other kind has bits above those of ASCII.
                if rule.bits < 0x80 {
                    appendASCII(UInt8(truncatingIfNeeded: rule.bits))
                    position += 1
                } else if byte == UInt8(ascii: "["), let special = specialToken(at: position) {
                    // Hugging Face cuts special tokens out of the raw text, anywhere, before all else.
                    finishWord(into: &tokens)
                    tokens.append(special.id)
                    if keepsRanges { ranges.append(position..<(position + special.spelling.count)) }
                    position += special.spelling.count
                } else {
                    apply(rule, to: &tokens)
                    position += 1
                }
                continue
            }
            let (value, next) = decodeScalar(at: position, of: text)
            let rule = value < CharacterRules.tabulated ? table[Int(value)] : rules.rareRule(value)
            if rule.kind == .mark {
                position = appendMarks(at: position)
            } else {
                apply(rule, to: &tokens)
                position = next
            }
        }
        finishWord(into: &tokens)
    }

    @inline(__always)
    private mutating func apply(_ rule: CharacterRule, to tokens: inout [Int32]) {
        switch rule.kind {
        case .letter: appendScalar(rule.scalar)
        case .space: finishWord(into: &tokens)
        case .isolated:
            finishWord(into: &tokens)
            appendScalar(rule.scalar)
            finishWord(into: &tokens)
        case .removed: break
        case .expansion: expand(rule, to: &tokens)
        case .mark: preconditionFailure("marks are ordered with their neighbours")
        }
    }

    private mutating func expand(_ rule: CharacterRule, to tokens: inout [Int32]) {
        for part in rules.expansions[rule.expansion] {
            if part.kind == .isolated { finishWord(into: &tokens) }
            appendScalar(part.scalar)
            if part.kind == .isolated { finishWord(into: &tokens) }
        }
    }

    private func specialToken(at position: Int) -> SpecialToken? {
        let rest = UnsafeBufferPointer(rebasing: text[position...])
        return specialTokens.first { rest.starts(with: $0.spelling) }
    }

    @inline(__always)
    private mutating func appendASCII(_ byte: UInt8) {
        if scalarCount < Self.maximumWordLength {
            word[byteCount] = byte
            sources[byteCount] = source
            byteCount += 1
        }
        scalarCount += 1
        lastSource = source
    }

    @inline(__always)
    mutating func appendScalar(_ value: UInt32) {
        if value < 0x80 { return appendASCII(UInt8(truncatingIfNeeded: value)) }
        if scalarCount < Self.maximumWordLength {
            let count = encodeScalar(value, into: word + byteCount)
            for index in 0..<count { sources[byteCount + index] = source }
            byteCount += count
        }
        scalarCount += 1
        lastSource = source
    }

    /// Appends the word's WordPieces, greedily the longest first; a word that cannot be spelled is `[UNK]` as a whole.
    @inline(__always)
    private mutating func finishWord(into tokens: inout [Int32]) {
        if scalarCount == 0 { return }
        if let receiveWord {
            if scalarCount <= Self.maximumWordLength {
                receiveWord(UnsafeBufferPointer(start: word, count: byteCount))
            }
        } else if scalarCount > Self.maximumWordLength || !appendPieces(to: &tokens) {
            tokens.append(unknown)
            noteRange(from: sources[0], through: lastSource)
        }
        byteCount = 0
        scalarCount = 0
    }

    /// Notes where a token stands: from one scalar of the text through another. What vanished before or after its letters is not part of it.
    @inline(__always)
    private mutating func noteRange(from first: Int, through last: Int) {
        if keepsRanges { ranges.append(first..<decodeScalar(at: last, of: text).next) }
    }

    /// Appends the pieces of `word` and returns true, or appends nothing where a part is in no piece.
    @inline(__always)
    private mutating func appendPieces(to tokens: inout [Int32]) -> Bool {
        let pieceStart = tokens.count
        var position = 0
        var root = WordPieceTrie.wordStart
        while position < byteCount {
            let rest = UnsafeBufferPointer(start: word + position, count: byteCount - position)
            let match = WordPieceTrie.longestMatch(in: nodes, root: root, rest)
            if match.length == 0 {
                if keepsRanges { ranges.removeLast(tokens.count - pieceStart) }
                tokens.removeSubrange(pieceStart...)
                return false
            }
            tokens.append(match.id)
            noteRange(from: sources[position], through: sources[position + match.length - 1])
            position += match.length
            root = WordPieceTrie.continuation
        }
        return true
    }
}
