/// The random numbers of one training step: a decision depends on seed, step, example, site, row and column, and on nothing else.
public struct RandomStep: Sendable {
    let key: SIMD2<UInt32>
    let step: UInt32

    /// The numbers of step `step` in a run with seed `seed`.
    public init(seed: UInt64, step: Int) {
        self.key = SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
        self.step = UInt32(truncatingIfNeeded: step)
    }

    /// A number drawn uniformly from 0 ..< `count` for a row at a site.
    public func uniform(below count: Int, site: Int, row: RowIdentity) -> Int {
        let counter = SIMD4(0, UInt32(site) << 16 | (row.row & 0xFFFF), row.example, step)
        let word = Philox.block(counter: counter, key: key).x
        return Int((UInt64(word) * UInt64(count)) >> 32)
    }
}

/// Where in its sequence and batch a row stands: what its random numbers depend on.
public struct RowIdentity: Sendable, BitwiseCopyable {
    /// Number of the sequence in the global batch.
    public var example: UInt32
    /// Number of the row (token) in its sequence.
    public var row: UInt32

    /// Row `row` of sequence `example` of the global batch.
    public init(example: UInt32, row: UInt32) {
        self.example = example
        self.row = row
    }
}

/// Inverted dropout at one site: an element is dropped with a probability, the others are scaled so that the mean stays.
///
/// Decisions are 16 bits wide, so the probability is a multiple of 2⁻¹⁶ and the scale is exact for it. One Philox block decides
/// for eight elements; forward and backward both compute the decisions, nothing is stored.
public struct Dropout: Sendable {
    let threshold: UInt32
    let scale: Float
    let site: UInt32

    /// Dropout with `probability` in 0 ..< 1 at `site`, a number below 65,536 that no other site of the model has.
    public init(probability: Float, site: Int) {
        precondition(probability >= 0 && probability < 1 && site >= 0 && site < 65_536)
        self.threshold = min(65_535, UInt32((probability * 65_536).rounded()))
        self.scale = 65_536 / Float(65_536 - threshold)
        self.site = UInt32(site)
    }

    /// What an element that is kept is multiplied by.
    public var keptFactor: Float { scale }

    /// Whether anything is ever dropped.
    public var isActive: Bool { threshold > 0 }

    /// Calls `body(start, count, factors)` for each run of at most eight columns of a row; a factor is 0 or the scale.
    @inline(__always)
    func forEachVector(
        _ columns: Int, row: RowIdentity, random: RandomStep,
        _ body: (_ start: Int, _ count: Int, _ factors: Vector) -> Void
    ) {
        var start = 0
        while start < columns {
            // Lane l of the four blocks has counter start/8 + l; word w of all lanes decides for elements 8w ..< 8w + 8.
            let first = UInt64(start / 8)
            let words = Philox.blocks(
                (
                    SIMD4(first, first + 1, first + 2, first + 3),
                    SIMD4(repeating: UInt64(site << 16 | (row.row & 0xFFFF))), SIMD4(repeating: UInt64(row.example)),
                    SIMD4(repeating: UInt64(random.step))
                ), key: random.key)
            decide(words.0, start, columns, body)
            decide(words.1, start + 8, columns, body)
            decide(words.2, start + 16, columns, body)
            decide(words.3, start + 24, columns, body)
            start += 32
        }
    }

    @inline(__always)
    private func decide(
        _ words: SIMD4<UInt64>, _ start: Int, _ columns: Int, _ body: (Int, Int, Vector) -> Void
    ) {
        guard start < columns else { return }
        // A 32-bit word holds two decisions: its low half moves to the even lane, its high half to the odd one.
        let halves = (words & SIMD4(repeating: 0xFFFF)) | ((words &>> 16) &<< 32)
        let decisions = unsafeBitCast(halves, to: SIMD8<Int32>.self)
        // Beside a single integer the comparison would go lane by lane.
        let isDropped = decisions .< SIMD8<Int32>(repeating: Int32(threshold))
        let factors = Vector(repeating: scale).replacing(with: 0, where: isDropped)
        body(start, min(8, columns - start), factors)
    }

    /// The factors of one row, as a list.
    public func writeFactors(
        to factors: UnsafeMutablePointer<Float>, columns: Int, row: RowIdentity, random: RandomStep
    ) {
        guard isActive else {
            factors.update(repeating: 1, count: columns)
            return
        }
        forEachVector(columns, row: row, random: random) { start, count, vector in
            store(vector, factors + start, count)
        }
    }
}
