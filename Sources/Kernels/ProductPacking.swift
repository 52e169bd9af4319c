/// Copies parts of factors into the order in which tiles read them.
enum ProductPacking {
    /// Columns `columns` of rows `inner` of b as panels of sixteen columns; what stands beyond the last one does not matter [panels, inner, 16].
    static func packRight(
        _ b: Matrix, transposed: Bool, inner: Range<Int>, columns: Range<Int>, into panels: UnsafeMutablePointer<Float>
    ) {
        let width = ProductTile.columns
        var panel = panels
        for first in stride(from: columns.lowerBound, to: columns.upperBound, by: width) {
            let count = min(width, columns.upperBound - first)
            if transposed {
                packTransposed(b.rows(first..<(first + count)).columns(inner), into: panel)
            } else {
                packColumns(b.rows(inner).columns(first..<(first + count)), into: panel)
            }
            panel += width * inner.count
        }
    }

    /// At most sixteen columns of a matrix, side by side [rows, 16].
    @inline(__always)
    static func packColumns(_ part: Matrix, into panel: UnsafeMutablePointer<Float>) {
        let width = ProductTile.columns
        for row in 0..<part.rows {
            let source = part.row(row)
            let target = panel + row * width
            if part.columns == width {
                ProductTile.store(ProductTile.load(source), target)
            } else {
                for column in 0..<width { target[column] = column < part.columns ? source[column] : 0 }
            }
        }
    }

    /// At most six columns of a matrix, side by side [rows, 6].
    @inline(__always)
    static func packLeft(_ part: Matrix, into packed: UnsafeMutablePointer<Float>) {
        let width = ProductTile.rows
        for row in 0..<part.rows {
            let source = part.row(row)
            let target = packed + row * width
            if part.columns == width {
                // Six floats as four and two.
                let start = UnsafeRawPointer(source), end = UnsafeMutableRawPointer(target)
                end.storeBytes(of: start.loadUnaligned(as: SIMD4<Float>.self), as: SIMD4<Float>.self)
                end.storeBytes(
                    of: start.loadUnaligned(fromByteOffset: 16, as: SIMD2<Float>.self), toByteOffset: 16,
                    as: SIMD2<Float>.self)
            } else {
                for column in 0..<width { target[column] = column < part.columns ? source[column] : 0 }
            }
        }
    }

    /// At most sixteen rows of a matrix as the columns of a panel; the last row stands for those that the matrix does not have [columns, 16].
    private static func packTransposed(_ part: Matrix, into panel: UnsafeMutablePointer<Float>) {
        let width = ProductTile.columns
        for first in stride(from: 0, to: width, by: 8) {
            var column = 0
            while column + 8 <= part.columns {
                transpose(part, first, column, into: panel + column * width + first)
                column += 8
            }
            while column < part.columns {
                for row in first..<(first + 8) {
                    panel[column * width + row] = part.row(min(row, part.rows - 1))[column]
                }
                column += 1
            }
        }
    }

    /// Eight rows from row `first` on and eight columns from `column` on become half of eight rows of a panel.
    @inline(__always)
    private static func transpose(
        _ part: Matrix, _ first: Int, _ column: Int, into panel: UnsafeMutablePointer<Float>
    ) {
        func row(_ index: Int) -> Vector { Vector(at: part.row(min(first + index, part.rows - 1)) + column) }
        // Rows 0 and 1 interleave to columns of pairs, pairs to columns of four, fours to whole columns.
        let (p0, p1) = interleave(row(0), row(1))
        let (p2, p3) = interleave(row(2), row(3))
        let (p4, p5) = interleave(row(4), row(5))
        let (p6, p7) = interleave(row(6), row(7))
        let (f0, f1) = interleavePairs(p0, p2)
        let (f2, f3) = interleavePairs(p1, p3)
        let (f4, f5) = interleavePairs(p4, p6)
        let (f6, f7) = interleavePairs(p5, p7)
        func write(_ column: Int, _ low: SIMD4<Float>, _ high: SIMD4<Float>) {
            Vector(lowHalf: low, highHalf: high).store(at: panel + column * ProductTile.columns)
        }
        write(0, f0.lowHalf, f4.lowHalf)
        write(1, f1.lowHalf, f5.lowHalf)
        write(2, f2.lowHalf, f6.lowHalf)
        write(3, f3.lowHalf, f7.lowHalf)
        write(4, f0.highHalf, f4.highHalf)
        write(5, f1.highHalf, f5.highHalf)
        write(6, f2.highHalf, f6.highHalf)
        write(7, f3.highHalf, f7.highHalf)
    }

    @inline(__always)
    private static func interleave(_ a: Vector, _ b: Vector) -> (Vector, Vector) {
        (
            Vector(a[0], b[0], a[1], b[1], a[4], b[4], a[5], b[5]),
            Vector(a[2], b[2], a[3], b[3], a[6], b[6], a[7], b[7])
        )
    }

    @inline(__always)
    private static func interleavePairs(_ a: Vector, _ b: Vector) -> (Vector, Vector) {
        (
            Vector(a[0], a[1], b[0], b[1], a[4], a[5], b[4], b[5]),
            Vector(a[2], a[3], b[2], b[3], a[6], a[7], b[6], b[7])
        )
    }
}
