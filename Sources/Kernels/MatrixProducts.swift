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

/// A block of c, panel by panel, or by two panels side by side where the processor computes pairs of tiles.
private func multiplyBlock(
    _ left: LeftFactor, inner: Int, _ scratch: ProductScratch, into c: Matrix, accumulating: Bool
) {
    // Looked up once: each look at an object of a class counts its references.
    let (hasPairs, right, tiles) = (ProductTile.hasPairs, scratch.right, scratch.tiles)
    let width = ProductTile.columns
    var column = 0
    while column < c.columns {
        let isPair = hasPairs && column + width < c.columns
        let end = min(column + (isPair ? 2 : 1) * width, c.columns)
        if isPair {
            multiplyPairs(
                left, right + column * inner, inner: inner, tiles, into: c.columns(column..<end),
                accumulating: accumulating)
        } else {
            multiplyTiles(
                left, right + column * inner, inner: inner, tiles, into: c.columns(column..<end), from: 0,
                accumulating: accumulating)
        }
        column = end
    }
}

/// The columns of two panels: four tiles at once, then two, and what has not the rows of a tile one by one. Pairs that reach beyond the last column are
/// computed whole in `tiles` and copied in part.
private func multiplyPairs(
    _ left: LeftFactor, _ panels: UnsafePointer<Float>, inner: Int, _ tiles: UnsafeMutablePointer<Float>,
    into c: Matrix, accumulating: Bool
) {
    let (height, width) = (ProductTile.rows, ProductTile.columns)
    let isWhole = c.columns == 2 * width
    var row = 0
    while isWhole && row + 2 * height <= c.rows {
        ProductTile.multiplyFour(
            left.start + row * left.tileDistance, lower: height * left.tileDistance, row: left.rowDistance,
            term: left.termDistance, panels: panels, panelDistance: width * inner, inner: inner, into: c.row(row),
            stride: c.stride, second: width, accumulating: accumulating)
        row += 2 * height
    }
    while row + height <= c.rows {
        ProductTile.multiplyPair(
            left.start + row * left.tileDistance, row: left.rowDistance, term: left.termDistance, panels: panels,
            panelDistance: width * inner, inner: inner, into: isWhole ? c.row(row) : tiles,
            stride: isWhole ? c.stride : width, second: isWhole ? width : ProductTile.count,
            accumulating: isWhole && accumulating)
        if !isWhole {
            ProductTile.copy(
                tiles, into: c.row(row), stride: c.stride, rows: height, columns: width, accumulating: accumulating)
            ProductTile.copy(
                tiles + ProductTile.count, into: c.row(row) + width, stride: c.stride, rows: height,
                columns: c.columns - width, accumulating: accumulating)
        }
        row += height
    }
    multiplyTiles(
        left, panels, inner: inner, tiles, into: c.columns(0..<width), from: row, accumulating: accumulating)
    multiplyTiles(
        left, panels + width * inner, inner: inner, tiles, into: c.columns(width..<c.columns), from: row,
        accumulating: accumulating)
}

/// The columns of one panel from row `first` on, tile by tile. A tile that reaches beyond the block is computed whole in `scratch` and copied in part.
private func multiplyTiles(
    _ left: LeftFactor, _ panel: UnsafePointer<Float>, inner: Int, _ scratch: UnsafeMutablePointer<Float>,
    into c: Matrix, from first: Int, accumulating: Bool
) {
    let (height, width) = (ProductTile.rows, ProductTile.columns)
    for row in stride(from: first, to: c.rows, by: height) {
        let rows = min(height, c.rows - row)
        let isWhole = rows == height && c.columns == width
        ProductTile.multiply(
            left.start + row * left.tileDistance, row: left.rowDistance, term: left.termDistance, count: rows, panel,
            inner: inner, into: isWhole ? c.row(row) : scratch, stride: isWhole ? c.stride : width,
            accumulating: isWhole && accumulating)
        if !isWhole {
            ProductTile.copy(
                scratch, into: c.row(row), stride: c.stride, rows: rows, columns: c.columns, accumulating: accumulating)
        }
    }
}

@inline(__always)
func forEachBlock(of range: Range<Int>, size: Int, _ body: (Range<Int>) -> Void) {
    for first in stride(from: range.lowerBound, to: range.upperBound, by: size) {
        body(first..<min(first + size, range.upperBound))
    }
}
