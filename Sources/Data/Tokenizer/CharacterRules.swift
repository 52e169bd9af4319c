/// What becomes of one scalar of a text.
///
/// The upper eight bits hold the kind, the lower 24 what the kind needs. A letter's kind is zero, so the rule of a
/// letter that stays or becomes ASCII is that ASCII code: the fast path is one comparison.
struct CharacterRule {
    enum Kind: UInt32 {
        /// Goes on with the word, as the scalar given.
        case letter
        /// Is a word of its own, as the scalar given: punctuation and ideographs.
        case isolated
        /// Ends a word.
        case space
        /// Vanishes; the word goes on.
        case removed
        /// Becomes several scalars: the rules `expansions[first ..< first + count]`.
        case expansion
        /// Is or becomes a combining mark that stays: needs canonical ordering with its neighbours.
        case mark
    }

    let bits: UInt32

    init(_ kind: Kind, _ value: UInt32 = 0) { bits = kind.rawValue << 24 | value }

    init(expansionAt first: Int, count: Int) {
        precondition(first < 1 << 16 && count < 1 << 8)
        self.init(.expansion, UInt32(first) << 8 | UInt32(count))
    }

    var kind: Kind { Kind(rawValue: bits >> 24)! }
    var scalar: UInt32 { bits & 0xFF_FFFF }
    var expansion: Range<Int> { Int(scalar >> 8)..<Int(scalar >> 8) + Int(scalar & 0xFF) }
}

/// The rules of all scalars under one choice of options: a table for the two planes where scripts and symbols live.
struct CharacterRules: Sendable {
    static let tabulated = UInt32(0x20000)

    let lowercases: Bool
    let stripsAccents: Bool
    let isolatesIdeographs: Bool
    private(set) var table: [CharacterRule] = []
    private(set) var expansions: [CharacterRule] = []

    init(lowercases: Bool, stripsAccents: Bool, isolatesIdeographs: Bool) {
        self.lowercases = lowercases
        self.stripsAccents = stripsAccents
        self.isolatesIdeographs = isolatesIdeographs
        table.reserveCapacity(Int(Self.tabulated))
        for value in 0..<Self.tabulated {
            // Surrogates never occur in UTF-8.
            guard let scalar = Unicode.Scalar(value) else {
                table.append(CharacterRule(.removed))
                continue
            }
            let (rule, expansion) = rule(for: scalar)
            if expansion.isEmpty {
                table.append(rule)
            } else {
                table.append(CharacterRule(expansionAt: expansions.count, count: expansion.count))
                expansions += expansion
            }
        }
    }

    /// The rule of a scalar beyond the table. None of them becomes several scalars.
    func rareRule(_ value: UInt32) -> CharacterRule { rule(for: Unicode.Scalar(value)!).rule }

    /// A scalar's rule, or the rules of the several scalars that it becomes.
    private func rule(for scalar: Unicode.Scalar) -> (rule: CharacterRule, expansion: [CharacterRule]) {
        if UnicodeData.isRemoved(scalar) { return (CharacterRule(.removed), []) }
        if UnicodeData.isSpace(scalar) { return (CharacterRule(.space), []) }
        let parts = stripsAccents ? UnicodeData.decomposition(scalar).filter { !UnicodeData.isAccent($0) } : [scalar]
        if stripsAccents && parts.contains(where: { UnicodeData.combiningClass($0) != 0 }) {
            return (CharacterRule(.mark), [])
        }
        let isolated = isolatesIdeographs && UnicodeData.isIdeograph(scalar)
        let rules = parts.flatMap(lowercased).map { part in
            CharacterRule(isolated || UnicodeData.isPunctuation(part) ? .isolated : .letter, part.value)
        }
        return switch rules.count {
        case 0: (CharacterRule(.removed), [])
        case 1: (rules[0], [])
        default: (CharacterRule(.expansion), rules)
        }
    }

    /// The scalar in lower case, if that is asked for: mostly one scalar, but İ becomes i and a dot.
    func lowercased(_ scalar: Unicode.Scalar) -> [Unicode.Scalar] {
        lowercases && scalar.properties.changesWhenLowercased
            ? Array(scalar.properties.lowercaseMapping.unicodeScalars) : [scalar]
    }
}
