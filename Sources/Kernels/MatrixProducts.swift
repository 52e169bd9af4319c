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
                let left =
                    aTransposed
                    ? LeftFactor(packing: a.rows(innerBlock).columns(rows), into: scratch.left)
                    : LeftFactor(a.rows(rows).columns(innerBlock))
                multiplyBlock(
                    left, inner: innerBlock.count, scratch, into: c.rows(rows).columns(columns), accumulating: adds)
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
    private let buffers: [FloatBuffer]

    private init() {
        buffers = [
            ProductBlock.inner * ProductBlock.columns, ProductBlock.inner * ProductBlock.rows, 2 * ProductTile.count,
        ].map { FloatBuffer(count: $0) }
        (right, left, tiles) = (buffers[0].pointer, buffers[1].pointer, buffers[2].pointer)
    }
}

/// Rows of a product's left factor as its tiles read them.
private struct LeftFactor {
    /// The first row's first term.
    let start: UnsafePointer<Float>
    /// Floats from a tile's first row to the next tile's, for each row between them.
    let tileDistance: Int
    /// Floats from one row of a tile to the next.
    let rowDistance: Int
    /// Floats from one term of a row to the next.
    let termDistance: Int

    /// Rows of a matrix where they lie.
    init(_ rows: Matrix) {
        (start, tileDistance, rowDistance, termDistance) = (UnsafePointer(rows.pointer), rows.stride, rows.stride, 1)
    }

    /// Columns of a matrix, which are packed.
    init(packing columns: Matrix, into packed: UnsafeMutablePointer<Float>) {
        forEachBlock(of: 0..<columns.columns, size: ProductTile.rows) {
            ProductPacking.packLeft(columns.columns($0), into: packed + $0.lowerBound * columns.rows)
        }
        (start, tileDistance, rowDistance, termDistance) = (UnsafePointer(packed), columns.rows, 1, ProductTile.rows)
    }
}

/// A block of c, panel by panel: every tile, or every two side by side with all their rows where the processor has pairs, and every two pairs that
/// are whole. What reaches beyond the block is computed whole in `scratch` and copied in part.
private func multiplyBlock(
    _ left: LeftFactor, inner: Int, _ scratch: ProductScratch, into c: Matrix, accumulating: Bool
) {
    let hasPairs = ProductTile.hasPairs
    let (height, width) = (ProductTile.rows, ProductTile.columns)
    var column = 0
    while column < c.columns {
        let panelCount = hasPairs && column + width < c.columns ? 2 : 1
        let isWholePair = panelCount == 2 && column + 2 * width <= c.columns
        var row = 0
        while row < c.rows {
            let a = left.start + row * left.tileDistance
            if isWholePair && row + 2 * height <= c.rows {
                ProductTile.multiplyFour(
                    a, lower: height * left.tileDistance, row: left.rowDistance, term: left.termDistance,
                    panels: scratch.right + column * inner, panelDistance: width * inner, inner: inner,
                    into: c.row(row) + column, stride: c.stride, second: width, accumulating: accumulating)
                row += 2 * height
                continue
            }
            let rows = min(height, c.rows - row)
            func copyTile(_ tile: Int, column: Int) {
                ProductTile.copy(
                    scratch.tiles + tile, into: c.row(row) + column, stride: c.stride, rows: rows,
                    columns: min(width, c.columns - column), accumulating: accumulating)
            }
            if panelCount == 2 && rows == height {
                ProductTile.multiplyPair(
                    a, row: left.rowDistance, term: left.termDistance, panels: scratch.right + column * inner,
                    panelDistance: width * inner, inner: inner,
                    into: isWholePair ? c.row(row) + column : scratch.tiles,
                    stride: isWholePair ? c.stride : width, second: isWholePair ? width : ProductTile.count,
                    accumulating: isWholePair && accumulating)
                if !isWholePair {
                    copyTile(0, column: column)
                    copyTile(ProductTile.count, column: column + width)
                }
            } else {
                for first in stride(from: column, to: column + panelCount * width, by: width) {
                    let isWhole = rows == height && first + width <= c.columns
                    ProductTile.multiply(
                        a, row: left.rowDistance, term: left.termDistance, count: rows, scratch.right + first * inner,
                        inner: inner, into: isWhole ? c.row(row) + first : scratch.tiles,
                        stride: isWhole ? c.stride : width, accumulating: isWhole && accumulating)
                    if !isWhole { copyTile(0, column: first) }
                }
            }
            row += height
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
