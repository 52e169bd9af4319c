import Foundation

/// What Hugging Face's tokenizer knows about a Unicode scalar.
///
/// Its tables have three ages: general categories are of Unicode 8, combining classes and decompositions of Unicode 9,
/// and lower case is that of the Rust compiler, which is as new as Swift's. A scalar's `age` tells what an older table
/// cannot know, and the few scalars whose category has changed since are named here. So a newer Swift changes nothing
/// but lower case, and there only for letters that it is the first to know.
enum UnicodeData {
    /// Cleaning drops these: NUL and other controls, format characters, private use and the replacement character.
    static func isRemoved(_ scalar: Unicode.Scalar) -> Bool {
        if scalar == "\u{FFFD}" { return true }
        switch scalar.properties.generalCategory {
        case .control: return !isSpace(scalar)
        case .privateUse: return true
        case .format: return isKnown(scalar, to: categoryVersion)
        default: return false
        }
    }

    /// Cleaning turns these into a space. Of the controls only tab, line feed and return count; the others are removed.
    static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "\t", "\n", "\r": true
        default: scalar.properties.generalCategory != .control && scalar.properties.isWhitespace
        }
    }

    /// Each is a word of its own. Includes what ASCII calls a symbol, such as `$`, `+` and `^`.
    static func isPunctuation(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 33...47, 58...64, 91...96, 123...126: return true
        case 0x166D, 0x111C9: return true  // since Unicode 12 and 11 a symbol and a mark
        default: break
        }
        switch scalar.properties.generalCategory {
        case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation,
            .finalPunctuation, .otherPunctuation:
            return isKnown(scalar, to: categoryVersion)
        default: return false
        }
    }

    /// Each ideograph is a word of its own. Hugging Face leaves out extensions E's first 256 scalars and all from F on.
    static func isIdeograph(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xF900...0xFAFF, 0x20000...0x2A6DF, 0x2A700...0x2B81F,
            0x2B920...0x2CEAF, 0x2F800...0x2FA1F:
            true
        default: false
        }
    }

    /// Accents, after decomposition: marks that take no room.
    static func isAccent(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x1885, 0x1886, 0xA9BD, 0x111C9: false  // became nonspacing marks after Unicode 8
        case 0x1734, 0x1171E: true  // have become spacing marks
        default: scalar.properties.generalCategory == .nonspacingMark && isKnown(scalar, to: categoryVersion)
        }
    }

    /// The key by which successive marks are sorted; zero for what is no combining mark.
    static func combiningClass(_ scalar: Unicode.Scalar) -> UInt8 {
        isKnown(scalar, to: normalizationVersion) ? scalar.properties.canonicalCombiningClass.rawValue : 0
    }

    /// The full canonical decomposition (NFD) of one scalar.
    static func decomposition(_ scalar: Unicode.Scalar) -> [Unicode.Scalar] {
        decompositions[scalar] ?? [scalar]
    }

    /// Only scalars that decompose. Found in one call for all candidates: one call for each costs a hundred times more.
    private static let decompositions: [Unicode.Scalar: [Unicode.Scalar]] = {
        let blocks: [ClosedRange<UInt32>] = [
            0x00C0...0x33FF, 0xA000...0xD7FF, 0xF900...0xFFFF, 0x10000...0x1FFFF, 0x2F800...0x2FA1F,
        ]
        let candidates = blocks.joined().compactMap(Unicode.Scalar.init).filter {
            isKnown($0, to: normalizationVersion)
        }
        var separated = String.UnicodeScalarView()
        for candidate in candidates { separated.append(contentsOf: [candidate, "\n"]) }
        let parts = String(separated).decomposedStringWithCanonicalMapping.unicodeScalars.split(separator: "\n")
        var decompositions: [Unicode.Scalar: [Unicode.Scalar]] = [:]
        for (candidate, part) in zip(candidates, parts) where part.first != candidate {
            decompositions[candidate] = Array(part)
        }
        return decompositions
    }()

    private static let categoryVersion: Unicode.Version = (8, 0)
    private static let normalizationVersion: Unicode.Version = (9, 0)

    private static func isKnown(_ scalar: Unicode.Scalar, to version: Unicode.Version) -> Bool {
        guard let age = scalar.properties.age else { return false }
        return age <= version
    }
}
