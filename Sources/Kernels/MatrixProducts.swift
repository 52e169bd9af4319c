/// c = a·b, a·bᵀ, aᵀ·b or aᵀ·bᵀ, or that added to c.
///
/// The bits of an element depend on its row of a, its column of b and the inner size alone: a product of some rows is, bit for bit, a part of
/// the product of all. So rows may be computed together or apart, by one rank or by several.
///
/// b is packed block by block for the tiles to read (Goto and van de Geijn 2008); a is read where it lies, or packed where it is transposed.
public func multiply(
    _ a: Matrix, _ b: Matrix, transposed: (a: Bool, b: Bool) = (false, false), into c: Matrix,
    accumulating: Bool = false
) {
    let (aTransposed, bTransposed) = transposed
    let inner = aTransposed ? a.rows : a.columns
    precondition((aTransposed ? a.columns : a.rows) == c.rows, "rows of the product differ")
    precondition((bTransposed ? b.rows : b.columns) == c.columns, "columns of the product differ")
    precondition((bTransposed ? b.columns : b.rows) == inner, "inner sizes of the product differ")
    guard c.rows > 0, c.columns > 0 else { return }
    guard inner > 0 else {
        if !accumulating { c.fill(0) }
        return
    }
    // The longer side is shared out: its parts are packed once, the other side by every thread.
    let sharesRows = c.rows > c.columns
    let (count, unit) = sharesRows ? (c.rows, ProductTile.rows) : (c.columns, ProductTile.columns)
    let least = max(unit, leastProductOperations / (inner * (sharesRows ? c.columns : c.rows)))
    shareOut(
        count, unit: unit, least: least, (a, b, aTransposed, bTransposed, c, accumulating, sharesRows)
    ) { product, part in
        let (a, b, aTransposed, bTransposed, c, accumulating, sharesRows) = product
        if sharesRows {
            multiplyAlone(
                aTransposed ? a.columns(part) : a.rows(part), b, transposed: (aTransposed, bTransposed),
                into: c.rows(part), accumulating: accumulating)
        } else {
            multiplyAlone(
                a, bTransposed ? b.rows(part) : b.columns(part), transposed: (aTransposed, bTransposed),
                into: c.columns(part), accumulating: accumulating)
        }
    }
}

/// The product on the calling thread.
private func multiplyAlone(
    _ a: Matrix, _ b: Matrix, transposed: (a: Bool, b: Bool), into c: Matrix, accumulating: Bool
) {
    let (aTransposed, bTransposed) = transposed
    let inner = aTransposed ? a.rows : a.columns
    let scratch = ProductScratch.ofThread.current
    forEachBlock(of: 0..<inner, size: ProductBlock.inner) { innerBlock in
        let adds = accumulating || innerBlock.lowerBound > 0
        forEachBlock(of: 0..<c.columns, size: ProductBlock.columns) { columns in
            ProductPacking.packRight(
                b, transposed: bTransposed, inner: innerBlock, columns: columns, into: scratch.right)
            forEachBlock(of: 0..<c.rows, size: ProductBlock.rows) { rows in
                let part = c.rows(rows).columns(columns)
                if aTransposed {
                    multiplyBlock(packing: a.rows(innerBlock).columns(rows), scratch, into: part, accumulating: adds)
                } else {
                    multiplyBlock(a.rows(rows).columns(innerBlock), scratch, into: part, accumulating: adds)
                }
            }
        }
    }
}

/// How much of each dimension is worked on at once: a panel of b stays in the first-level cache, a block of a in the second.
private enum ProductBlock {
    static let inner = 384
    static let columns = 512
    static let rows = 96
}

/// Multiplications with additions of a product that are worth a thread.
let leastProductOperations = 1 << 17

/// Memory for packed factors, made once for each thread: a product allocates nothing.
final class ProductScratch {
    static let ofThread = ThreadLocal { ProductScratch() }
    /// Packed panels of the right factor, and packed rows of the left one.
    let right, left: UnsafeMutablePointer<Float>
    /// A tile at the edge of a matrix, or two side by side.
    let tiles: UnsafeMutablePointer<Float>

    private init() {
        func floats(_ count: Int) -> UnsafeMutablePointer<Float> {
            UnsafeMutableRawPointer.allocate(byteCount: 4 * count, alignment: 64).bindMemory(
                to: Float.self, capacity: count)
        }
        right = floats(ProductBlock.inner * ProductBlock.columns)
        left = floats(ProductBlock.inner * ProductBlock.rows)
        tiles = floats(2 * ProductTile.count)
    }

    deinit {
        right.deallocate()
        left.deallocate()
        tiles.deallocate()
    }
}

/// A block of c from rows of a where they lie.
private func multiplyBlock(_ a: Matrix, _ scratch: ProductScratch, into c: Matrix, accumulating: Bool) {
    forEachTile(of: c, inner: a.columns, scratch, accumulating: accumulating) { row, panel, target, stride, adds in
        ProductTile.multiplyRows(
            .init(a, first: row, column: 0), panel, inner: a.columns, into: target, stride: stride, accumulating: adds)
    } multiplyPair: { row, panels, target, stride, second, adds in
        ProductTile.multiplyPair(
            a.row(row), row: a.stride, step: 1, panels: panels, panelDistance: ProductTile.columns * a.columns,
            inner: a.columns, into: target, stride: stride, second: second, accumulating: adds)
    }
}

/// A block of c from columns of a, which are packed first.
private func multiplyBlock(packing a: Matrix, _ scratch: ProductScratch, into c: Matrix, accumulating: Bool) {
    for first in stride(from: 0, to: a.columns, by: ProductTile.rows) {
        let columns = first..<min(first + ProductTile.rows, a.columns)
        ProductPacking.packLeft(a.columns(columns), into: scratch.left + first * a.rows)
    }
    forEachTile(of: c, inner: a.rows, scratch, accumulating: accumulating) { row, panel, target, stride, adds in
        ProductTile.multiplyPacked(
            scratch.left + row * a.rows, panel, inner: a.rows, into: target, stride: stride, accumulating: adds)
    } multiplyPair: { row, panels, target, stride, second, adds in
        ProductTile.multiplyPair(
            scratch.left + row * a.rows, row: 1, step: ProductTile.rows, panels: panels,
            panelDistance: ProductTile.columns * a.rows, inner: a.rows, into: target, stride: stride, second: second,
            accumulating: adds)
    }
}

/// Calls `multiply` for every tile of a block, panel by panel, or `multiplyPair` for every two side by side with all their rows where the processor
/// has pairs. What reaches beyond the block is computed whole in `scratch` and copied in part.
@inline(__always)
private func forEachTile(
    of c: Matrix, inner: Int, _ scratch: ProductScratch, accumulating: Bool,
    multiply: (
        _ row: Int, _ panel: UnsafePointer<Float>, _ target: UnsafeMutablePointer<Float>, _ stride: Int, _ adds: Bool
    ) -> Void,
    multiplyPair: (
        _ row: Int, _ panels: UnsafePointer<Float>, _ target: UnsafeMutablePointer<Float>, _ stride: Int,
        _ second: Int, _ adds: Bool
    ) -> Void
) {
    let hasPairs = ProductTile.hasPairs
    let width = ProductTile.columns
    var column = 0
    while column < c.columns {
        let panelCount = hasPairs && column + width < c.columns ? 2 : 1
        for row in stride(from: 0, to: c.rows, by: ProductTile.rows) {
            let rows = min(ProductTile.rows, c.rows - row)
            func copyTile(_ tile: Int, column: Int) {
                ProductTile.copy(
                    scratch.tiles + tile, into: c.row(row) + column, stride: c.stride, rows: rows,
                    columns: min(width, c.columns - column), accumulating: accumulating)
            }
            if panelCount == 2 && rows == ProductTile.rows {
                let panels = UnsafePointer(scratch.right + column * inner)
                if column + 2 * width <= c.columns {
                    multiplyPair(row, panels, c.row(row) + column, c.stride, width, accumulating)
                } else {
                    multiplyPair(row, panels, scratch.tiles, width, ProductTile.count, false)
                    copyTile(0, column: column)
                    copyTile(ProductTile.count, column: column + width)
                }
                continue
            }
            for first in stride(from: column, to: column + panelCount * width, by: width) {
                let panel = UnsafePointer(scratch.right + first * inner)
                if rows == ProductTile.rows && first + width <= c.columns {
                    multiply(row, panel, c.row(row) + first, c.stride, accumulating)
                } else {
                    multiply(row, panel, scratch.tiles, width, false)
                    copyTile(0, column: first)
                }
            }
        }
        column += panelCount * width
    }
}

@inline(__always)
func forEachBlock(of range: Range<Int>, size: Int, _ body: (Range<Int>) -> Void) {
    for first in stride(from: range.lowerBound, to: range.upperBound, by: size) {
        body(first..<min(first + size, range.upperBound))
    }
}
