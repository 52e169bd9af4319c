import Kernels

/// A random order of 0 ..< count that is computed place by place: no table, no state, nothing to store for a resume.
///
/// A Feistel network with Philox as round function permutes the next larger power of four, 64 at least; a place that falls outside of the range is sent
/// through again until it falls inside ("cycle walking"), which keeps it a permutation.
struct Permutation: Sendable {
    private let count: UInt64
    private let halfBits: UInt64
    private let key: SIMD2<UInt32>
    private let stream: SIMD2<UInt32>

    /// The order numbered `stream` of `count` places in a run with seed `seed`.
    init(count: Int, seed: UInt64, stream: (UInt32, UInt32)) {
        self.count = UInt64(count)
        let bits = UInt64(Int.bitWidth - max(0, count - 1).leadingZeroBitCount)
        // Halves of fewer bits have too few round functions: some orders of few numbers would come far more often than others.
        halfBits = max(3, (bits + 1) / 2)
        key = SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
        self.stream = SIMD2(stream.0, stream.1)
    }

    /// What stands at a place.
    subscript(place: Int) -> Int {
        precondition(place >= 0 && place < count)
        var value = UInt64(place)
        repeat { value = permute(value) } while value >= count
        return Int(value)
    }

    private func permute(_ value: UInt64) -> UInt64 {
        let mask = (UInt64(1) << halfBits) - 1
        var left = value >> halfBits
        var right = value & mask
        for round in 0..<8 {
            let counter = SIMD4(
                UInt32(truncatingIfNeeded: right), stream.x, stream.y, Permutation.domain | UInt32(round))
            let word = UInt64(Philox.block(counter: counter, key: key).x)
            (left, right) = (right, left ^ (word & mask))
        }
        return left << halfBits | right
    }

    /// Sets the counters apart from those of dropout, whose last word is a step number.
    private static let domain: UInt32 = 0xFFFF_FF00
}
