internal import CVector

/// What all products are made of: a tile of six rows and sixteen columns, whose sums stay in registers.
///
/// Each of a tile's 96 sums takes its terms one after another in the order of the inner dimension. So the bits of an element depend on its
/// row and its column alone, not on how many rows or columns are computed with it, in which call, or by whom.
enum ProductTile {
    /// Rows of a tile: six pairs of AVX2 registers hold its sums.
    static let rows = 6
    /// Columns of a tile.
    static let columns = 16
    /// Floats of a tile that stands by itself.
    static let count = rows * columns

    typealias Lanes = SIMD16<Float>

    /// c = a·b or c += a·b for six rows of a, and b packed [inner, 16].
    /// - Parameters:
    ///   - row: floats from one of the rows of a to the next.
    ///   - term: floats from one of a row's terms to the next: 1 where rows lie one after another, 6 where they are packed.
    ///   - count: rows that a has; the last one stands for those that are missing.
    @inline(never)
    static func multiply(
        _ a: UnsafePointer<Float>, row: Int, term: Int, count: Int = rows, _ b: UnsafePointer<Float>, inner: Int,
        into c: UnsafeMutablePointer<Float>, stride: Int, accumulating: Bool
    ) {
        // Each distance has a loop of its own, in which the places of terms are constants.
        if term == 1 {
            multiply(a, row, 1, count, b, inner, c, stride, accumulating)
        } else {
            precondition(term == rows)
            multiply(a, row, rows, count, b, inner, c, stride, accumulating)
        }
    }

    /// Four terms in a round: what counts them takes as many instructions as two multiply-adds, and a core whose other half works for a neighbour
    /// is short of instructions before all.
    @inline(__always)
    private static func multiply(
        _ a: UnsafePointer<Float>, _ row: Int, _ term: Int, _ count: Int, _ b: UnsafePointer<Float>, _ inner: Int,
        _ c: UnsafeMutablePointer<Float>, _ stride: Int, _ accumulating: Bool
    ) {
        func start(_ index: Int) -> UnsafePointer<Float> { a + min(index, count - 1) * row }
        var (r0, r1, r2, r3, r4, r5) = (start(0), start(1), start(2), start(3), start(4), start(5))
        var (s0, s1, s2) = (Lanes.zero, Lanes.zero, Lanes.zero)
        var (s3, s4, s5) = (Lanes.zero, Lanes.zero, Lanes.zero)
        var right = b
        @inline(__always)
        func add(_ index: Int) {
            let lanes = load(right + index * columns)
            s0 = vector_multiply_add(Lanes(repeating: r0[index * term]), lanes, s0)
            s1 = vector_multiply_add(Lanes(repeating: r1[index * term]), lanes, s1)
            s2 = vector_multiply_add(Lanes(repeating: r2[index * term]), lanes, s2)
            s3 = vector_multiply_add(Lanes(repeating: r3[index * term]), lanes, s3)
            s4 = vector_multiply_add(Lanes(repeating: r4[index * term]), lanes, s4)
            s5 = vector_multiply_add(Lanes(repeating: r5[index * term]), lanes, s5)
        }
        @inline(__always)
        func advance(_ terms: Int) {
            (r0, r1, r2) = (r0 + terms * term, r1 + terms * term, r2 + terms * term)
            (r3, r4, r5) = (r3 + terms * term, r4 + terms * term, r5 + terms * term)
            right += terms * columns
        }
        let end = b + inner * columns
        let endOfRounds = end - inner % 4 * columns
        while right != endOfRounds {
            add(0)
            add(1)
            add(2)
            add(3)
            advance(4)
        }
        while right != end {
            add(0)
            advance(1)
        }
        if accumulating {
            s0 += load(c)
            s1 += load(c + stride)
            s2 += load(c + 2 * stride)
            s3 += load(c + 3 * stride)
            s4 += load(c + 4 * stride)
            s5 += load(c + 5 * stride)
        }
        store(s0, c)
        store(s1, c + stride)
        store(s2, c + 2 * stride)
        store(s3, c + 3 * stride)
        store(s4, c + 4 * stride)
        store(s5, c + 5 * stride)
    }

    /// Whether two tiles side by side can be computed at once: with AVX-512, for which one tile has too few sums.
    static let hasPairs = vector_multiply_pair_is_possible() != 0

    /// Two tiles side by side, with the bits that each would have alone. Only where there are pairs.
    /// - Parameters:
    ///   - row: floats from one of the six rows of a to the next.
    ///   - term: floats from one of a row's terms to the next.
    ///   - panels: the two panels of b [inner, 16], floats apart by `panelDistance`.
    ///   - second: floats from the first tile's beginning to the second one's.
    @inline(__always)
    static func multiplyPair(
        _ a: UnsafePointer<Float>, row: Int, term: Int, panels b: UnsafePointer<Float>, panelDistance: Int, inner: Int,
        into c: UnsafeMutablePointer<Float>, stride: Int, second: Int, accumulating: Bool
    ) {
        #if arch(x86_64)
            vector_multiply_pair(
                a, row, term, b, b + panelDistance, inner, c, stride, second, accumulating ? 1 : 0)
        #else
            preconditionFailure("no pairs on this processor")
        #endif
    }

    /// Two pairs of tiles, one above the other. Only where there are pairs.
    /// - Parameters:
    ///   - a: the first of the upper pair's six rows.
    ///   - lower: floats from there to the first of the lower pair's.
    ///   - second: floats from the left tiles' beginning to the right ones'.
    @inline(__always)
    static func multiplyFour(
        _ a: UnsafePointer<Float>, lower: Int, row: Int, term: Int, panels b: UnsafePointer<Float>, panelDistance: Int,
        inner: Int, into c: UnsafeMutablePointer<Float>, stride: Int, second: Int, accumulating: Bool
    ) {
        #if arch(x86_64)
            vector_multiply_four(
                a, a + lower, row, term, b, b + panelDistance, inner, c, stride, second, accumulating ? 1 : 0)
        #else
            preconditionFailure("no pairs on this processor")
        #endif
    }

    /// Writes the part of a tile that lies in a matrix, from row `row` and column `column` on; adds it where `accumulating`.
    @inline(__always)
    static func copy(
        _ tile: UnsafePointer<Float>, into c: UnsafeMutablePointer<Float>, stride: Int, rows: Int, columns count: Int,
        accumulating: Bool = false
    ) {
        for row in 0..<rows {
            let source = tile + row * columns
            let target = c + row * stride
            if accumulating {
                addVector(source, to: target, count: count)
            } else if count == columns {
                store(load(source), target)
            } else {
                forEachVector(count) { start, count in
                    Kernels.store(Vector(at: source + start), target + start, count)
                }
            }
        }
    }

    @inline(__always)
    static func load(_ pointer: UnsafePointer<Float>) -> Lanes {
        UnsafeRawPointer(pointer).loadUnaligned(as: Lanes.self)
    }

    @inline(__always)
    static func store(_ lanes: Lanes, _ pointer: UnsafeMutablePointer<Float>) {
        UnsafeMutableRawPointer(pointer).storeBytes(of: lanes, as: Lanes.self)
    }
}
