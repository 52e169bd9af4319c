import TestSupport
import Testing

@testable import Kernels

/// Products over slices: right values, and the same bits however ranks share the slices.
struct SlicedProductTests {
    /// Rows of each slice, with empty ones at the start, in the middle and at the end.
    private static let sliceSizes = [0, 5, 1, 0, 12, 3, 7, 0]
    private static let shares: [[Range<Int>]] = [
        [0..<8], [0..<3, 3..<5, 5..<8], [0..<1, 1..<7, 7..<8], (0..<8).map { $0..<($0 + 1) },
    ]

    private enum Product { case outer, columns, columnProducts }

    /// The sums of all ranks combined, where each rank holds one of `shares`.
    private func sums(
        _ product: Product, dy: [Float], x: [Float], outputs: Int, inputs: Int, turns: Int, shares: [Range<Int>],
        panelCapacity: Int
    ) -> [Float] {
        let starts = SlicedProductTests.sliceSizes.reduce(into: [0]) { $0.append($0.last! + $1) }
        let rowCount = starts.last!
        let count = product == .outer ? outputs * inputs : outputs
        var parts: [Range<Int>: [Float]] = [:]
        for local in shares {
            let tree = SliceTree(sliceCount: 8, local: local, panelCapacity: panelCapacity)
            let rows = starts[local.lowerBound]..<starts[local.upperBound]
            /// This rank's rows of every turn, one block after another.
            func share(_ values: [Float], _ columns: Int) -> OwnedMatrix {
                let blocks = (0..<turns).flatMap { turn in
                    Array(
                        values[
                            ((turn * rowCount + rows.lowerBound) * columns)..<((turn * rowCount + rows.upperBound)
                                * columns)])
                }
                return OwnedMatrix(blocks, rows: turns * rows.count, columns: columns)
            }
            let left = share(dy, outputs)
            let right = share(x, inputs)
            let bounds = (local.lowerBound...local.upperBound).map { starts[$0] - rows.lowerBound }
            reserveOuterProducts(rows: turns * rows.count)
            let sums = tree.subtrees.map { _ in OwnedMatrix(rows: 1, columns: count) }
            bounds.withUnsafeBufferPointer { bounds in
                sums.map(\.pointer).withUnsafeBufferPointer { bases in
                    let slices = RowSlices(tree, bounds: bounds.baseAddress!, turns: turns)
                    let gradient = GradientSums(bases: bases.baseAddress!, offset: 0)
                    switch product {
                    case .outer: sumOuterProducts(slices, left.matrix, right.matrix, into: gradient)
                    case .columns: sumColumns(slices, left.matrix, into: gradient)
                    case .columnProducts: sumColumnProducts(slices, left.matrix, right.matrix, into: gradient)
                    }
                }
            }
            withExtendedLifetime(tree) {
                for (node, sum) in zip(tree.subtrees, sums) {
                    #expect(sum.marginIsUntouched)
                    parts[node] = sum.values
                }
            }
        }
        return sumAlongTree(parts, sliceCount: 8)
    }

    /// 33 columns are a pair of tiles and one by itself, 49 two pairs, the last one in part.
    @Test(arguments: [1, 4], [(65_536, 33), (33, 33), (100, 49)])
    func sumsAreRightAndTheSameBitsOnAnyShares(turns: Int, panel: (capacity: Int, inputs: Int)) {
        let rows = SlicedProductTests.sliceSizes.reduce(0, +) * turns
        let (outputs, inputs) = (31, panel.inputs)
        var random = TestRandom(seed: 8)
        let dy = random.normals(rows * outputs)
        let x = random.normals(rows * inputs)
        func combined(_ product: Product, _ shares: [Range<Int>]) -> [Float] {
            // The product of columns needs as many of them on both sides.
            let width = product == .columnProducts ? outputs : inputs
            return sums(
                product, dy: dy, x: Array(x.prefix(rows * width)), outputs: outputs, inputs: width, turns: turns,
                shares: shares, panelCapacity: panel.capacity)
        }
        /// Σ over rows of dy[row, column] · right(row), in double.
        func sum(_ column: Int, _ right: (Int) -> Float) -> Float {
            var total = 0.0
            for row in 0..<rows { total += Double(dy[row * outputs + column]) * Double(right(row)) }
            return Float(total)
        }
        let outer = (0..<(outputs * inputs)).map { index in sum(index / inputs) { x[$0 * inputs + index % inputs] } }
        let columns = (0..<outputs).map { sum($0) { _ in 1 } }
        let columnProducts = (0..<outputs).map { column in sum(column) { x[$0 * outputs + column] } }
        for (product, expected) in [(Product.outer, outer), (.columns, columns), (.columnProducts, columnProducts)] {
            let one = combined(product, SlicedProductTests.shares[0])
            #expect(relativeError(one, expected) < 1e-6)
            for shares in SlicedProductTests.shares.dropFirst() {
                #expect(bits(combined(product, shares)) == bits(one), "\(product) on \(shares)")
            }
        }
    }

    @Test func noTurnsGiveZero() {
        for product in [Product.outer, .columns] {
            let sum = sums(
                product, dy: [], x: [], outputs: 3, inputs: 2, turns: 0, shares: [0..<3, 3..<8], panelCapacity: 64)
            #expect(sum.allSatisfy { $0 == 0 })
        }
    }

    @Test(arguments: [1, 7, 9, 31, 33], [17, 49])
    func multiplyIsThePlainTripleLoop(inner: Int, columns: Int) {
        let rows = 9
        var random = TestRandom(seed: UInt64(inner))
        let a = random.normals(rows * inner)
        let b = random.normals(inner * columns)
        let c = random.normals(rows * columns)
        func transposed(_ values: [Float], _ rows: Int, _ columns: Int) -> [Float] {
            (0..<(rows * columns)).map { values[$0 % rows * columns + $0 / rows] }
        }
        for (aTransposed, bTransposed) in [(false, false), (true, false), (false, true), (true, true)] {
            let left =
                aTransposed
                ? OwnedMatrix(transposed(a, rows, inner), rows: inner, columns: rows)
                : OwnedMatrix(a, rows: rows, columns: inner)
            let right =
                bTransposed
                ? OwnedMatrix(transposed(b, inner, columns), rows: columns, columns: inner)
                : OwnedMatrix(b, rows: inner, columns: columns)
            for accumulating in [false, true] {
                let product = OwnedMatrix(c, rows: rows, columns: columns)
                multiply(
                    left.matrix, right.matrix, transposed: (aTransposed, bTransposed), into: product.matrix,
                    accumulating: accumulating)
                var expected: [Float] = []
                for row in 0..<rows {
                    for column in 0..<columns {
                        var total = accumulating ? Double(c[row * columns + column]) : 0
                        for k in 0..<inner { total += Double(a[row * inner + k]) * Double(b[k * columns + column]) }
                        expected.append(Float(total))
                    }
                }
                #expect(relativeError(product.values, expected) < 1e-6)
                #expect(product.marginIsUntouched)
            }
        }
    }

    /// Whatever tiles, pairs of tiles or edges a column falls to. The inner dimension has two blocks.
    @Test(arguments: [false, true])
    func columnsHaveTheSameBitsInTheWholeProductAndAlone(accumulating: Bool) {
        let (rows, inner, columns) = (13, 400, 70)
        var random = TestRandom(seed: 11)
        let a = OwnedMatrix(random.normals(rows * inner), rows: rows, columns: inner)
        let b = OwnedMatrix(random.normals(inner * columns), rows: inner, columns: columns)
        let start = random.normals(rows * columns)
        let packsLeft = OwnedMatrix(random.normals(inner * rows), rows: inner, columns: rows)
        for (left, transposed) in [(a, false), (packsLeft, true)] {
            let whole = OwnedMatrix(start, rows: rows, columns: columns)
            let alone = OwnedMatrix(start, rows: rows, columns: columns)
            multiply(
                left.matrix, b.matrix, transposed: (transposed, false), into: whole.matrix, accumulating: accumulating)
            for column in 0..<columns {
                multiply(
                    left.matrix, b.matrix.columns(column..<(column + 1)), transposed: (transposed, false),
                    into: alone.matrix.columns(column..<(column + 1)), accumulating: accumulating)
            }
            #expect(bits(whole.values) == bits(alone.values))
        }
    }

    @Test func aProductWithoutInnerElementsIsZeroOrLeavesWhatIsThere() {
        let empty = OwnedMatrix([], rows: 0, columns: 3)
        let c = OwnedMatrix([Float](repeating: 4, count: 9), rows: 3, columns: 3)
        multiply(empty.matrix, empty.matrix, transposed: (true, false), into: c.matrix, accumulating: true)
        #expect(c.values.allSatisfy { $0 == 4 })
        multiply(empty.matrix, empty.matrix, transposed: (true, false), into: c.matrix)
        #expect(c.values.allSatisfy { $0 == 0 })
    }
}
