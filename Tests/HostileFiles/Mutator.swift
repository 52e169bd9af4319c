import TestSupport

/// Falsifies bytes in one place, or in up to three; the same seed makes the same mutant.
struct Mutator {
    /// Whether numbers and fields are written as text, or as binary words.
    let isText: Bool
    /// What readers of the format look for.
    let words: [String]
    /// The bytes that most changes fall on; all unless given.
    var target: Range<Int>?

    /// The mutant of `bytes` that belongs to `seed`.
    func mutant(of bytes: [UInt8], seed: UInt64) -> [UInt8] {
        var random = TestRandom(seed: seed)
        var mutant = bytes
        for _ in 0..<[1, 1, 1, 2, 3].randomElement(using: &random)! { change(&mutant, &random) }
        return mutant
    }

    private func change(_ bytes: inout [UInt8], _ random: inout TestRandom) {
        let place = place(in: bytes, &random)
        let length = min(Int.random(in: 1...24, using: &random), bytes.count - place)
        switch Int.random(in: 0..<10, using: &random) {
        case 0 where !bytes.isEmpty: bytes[min(place, bytes.count - 1)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 1 where !bytes.isEmpty: bytes[min(place, bytes.count - 1)] = .random(in: 0...255, using: &random)
        case 2: bytes.removeLast(bytes.count - place)
        case 3: bytes.removeSubrange(place..<place + length)
        case 4: repeatChunk(&bytes, place..<place + length, &random)
        case 5:
            let count = Int.random(in: 1...16, using: &random)
            bytes.insert(contentsOf: (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }, at: place)
        case 6, 7: isText ? changeNumber(&bytes, &random) : changeWord(&bytes, place, &random)
        case 8: swapFields(&bytes, &random)
        default:
            guard let word = words.randomElement(using: &random) else { return }
            bytes.replaceSubrange(place..<place + (Bool.random(using: &random) ? length : 0), with: word.utf8)
        }
    }

    private func place(in bytes: [UInt8], _ random: inout TestRandom) -> Int {
        let range = Int.random(in: 0..<10, using: &random) > 0 ? target?.clamped(to: 0..<bytes.count) : nil
        guard let range, !range.isEmpty else { return Int.random(in: 0...bytes.count, using: &random) }
        return Int.random(in: range, using: &random)
    }

    /// Mostly a few times; sometimes so often that whatever grows with it is seen to grow.
    private func repeatChunk(_ bytes: inout [UInt8], _ range: Range<Int>, _ random: inout TestRandom) {
        guard !range.isEmpty else { return }
        let chunk = bytes[range]
        let isMany = Int.random(in: 0..<10, using: &random) == 0
        let count = isMany ? (200_000 / chunk.count) : Int.random(in: 1...4, using: &random)
        bytes.insert(contentsOf: Array(repeatElement(chunk, count: count).joined()), at: range.upperBound)
    }

    private static let extremes = [
        "0", "-1", "1", "2147483647", "2147483648", "4294967296", "9223372036854775807", "9223372036854775808",
        "18446744073709551615", "-9223372036854775808", "1e308", "-1e308", "1e999", "1e-400", "NaN", "-Infinity",
        "0.5", "01", "1_000", "0x10", "123456789012345678901234567890",
    ]

    private func changeNumber(_ bytes: inout [UInt8], _ random: inout TestRandom) {
        let numbers = Self.runs(of: bytes) { (0x30...0x39).contains($0) || "+-.".utf8.contains($0) }
        guard let range = numbers.randomElement(using: &random) else { return }
        bytes.replaceSubrange(range, with: Self.extremes.randomElement(using: &random)!.utf8)
    }

    private static let binaryExtremes: [UInt64] = [
        0, 1, .max, 0x7FFF_FFFF, 0x8000_0000, 0x7FFF_FFFF_FFFF_FFFF, 0x8000_0000_0000_0000, 0x7F, 0x80, 0xFFFF, 1 << 32,
        1 << 40, 0x7FC0_0000, 0x7FE1_CCF3_85EB_C8A0, 0x7FF8_0000_0000_0000,
    ]

    private func changeWord(_ bytes: inout [UInt8], _ place: Int, _ random: inout TestRandom) {
        let size = [1, 2, 4, 8].randomElement(using: &random)!
        let word = Self.binaryExtremes.randomElement(using: &random)!
        for index in 0..<size where place + index < bytes.count {
            bytes[place + index] = UInt8(truncatingIfNeeded: word >> (8 * UInt64(index)))
        }
    }

    private func swapFields(_ bytes: inout [UInt8], _ random: inout TestRandom) {
        let fields =
            isText
            ? Self.runs(of: bytes) { !"\t\n,:{}[]\" ".utf8.contains($0) }
            : (0..<bytes.count / 8).map { $0 * 8..<$0 * 8 + 8 }
        guard fields.count > 1 else { return }
        let first = Int.random(in: 0..<fields.count - 1, using: &random)
        let second = Int.random(in: first + 1..<fields.count, using: &random)
        let (left, right) = (Array(bytes[fields[first]]), Array(bytes[fields[second]]))
        bytes.replaceSubrange(fields[second], with: left)
        bytes.replaceSubrange(fields[first], with: right)
    }

    /// The longest ranges of bytes of one sort.
    private static func runs(of bytes: [UInt8], _ isPart: (UInt8) -> Bool) -> [Range<Int>] {
        var runs: [Range<Int>] = []
        var start: Int?
        for (index, byte) in bytes.enumerated() {
            if isPart(byte) {
                start = start ?? index
            } else if let first = start {
                runs.append(first..<index)
                start = nil
            }
        }
        return start.map { runs + [$0..<bytes.count] } ?? runs
    }
}
