import Data
import Foundation
import TestSupport
import Testing

/// The text of the error that `body` throws, with the folder's path taken out; "no error" where it throws none.
func message<Result>(in folder: TemporaryFolder, _ body: () throws -> Result) -> String {
    do {
        _ = try body()
        return "no error"
    } catch {
        return "\(error)".replacingOccurrences(of: folder.path + "/", with: "")
    }
}

/// A small seeded generator, so that a failing mutation can be made again.
struct Mutator {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

    mutating func below(_ bound: Int) -> Int {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Int(state % UInt64(bound))
    }

    /// A few bytes deleted, replaced, doubled or inserted; what is inserted matters to YAML or TSV.
    mutating func mutate(_ original: [UInt8]) -> [UInt8] {
        let spice: [[UInt8]] =
            [
                "*a", "&a ", "- ", ": ", "{", "}", "[", "]", "\"", "'", "\t", "\n", "\r\n", "? ", "!!int ", "|", ">",
                "#", "%",
                "---\n", "...\n", "<<: ", "~", "0x", "1e999", "-1", "\u{FEFF}", "\u{85}", "99999999999999999999", ",",
            ].map { Array($0.utf8) } + [[0], [0xFF], [0xC3], [0xED, 0xA0, 0x80], [0x1B]]
        var bytes = original
        for _ in 0...below(4) {
            let at = below(bytes.count + 1), end = min(bytes.count, at + below(12))
            switch below(4) {
            case 0: bytes.removeSubrange(at..<end)
            case 1: bytes.insert(contentsOf: bytes[at..<end], at: below(bytes.count + 1))
            case 2: bytes.replaceSubrange(at..<end, with: spice[below(spice.count)])
            default: bytes.insert(contentsOf: spice[below(spice.count)], at: at)
            }
        }
        return bytes
    }
}
