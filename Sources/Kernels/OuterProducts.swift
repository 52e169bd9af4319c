/// dW = dyᵀ·x for each slice, summed along the tree over slices [outputs, inputs].
///
/// The tree is climbed tile by tile, with sums that stay in the first-level cache: exactness costs neither a gradient buffer for each slice nor
/// passes over memory. Both factors are packed with the rows of a slice one after another, those of all its turns together.
/// - Parameter scattered: rows that are added to each slice's product before the tree is climbed.
public func sumOuterProducts(
    _ slices: RowSlices, _ dy: Matrix, _ x: Matrix, adding scattered: ScatteredRows? = nil, into gradient: GradientSums
) {
    guard !slices.tree.subtrees.isEmpty else { return }
    // The longer side is shared out: its parts are packed once, the other side by every thread.
    let sharesOutputs = dy.columns > x.columns
    let (count, unit) = sharesOutputs ? (dy.columns, ProductTile.rows) : (x.columns, ProductTile.columns)
    let perColumn = max(1, slices.rows) * (sharesOutputs ? x.columns : dy.columns)
    shareOut(
        count, unit: unit, least: max(unit, leastProductOperations / perColumn),
        (slices, dy, x, scattered, gradient, sharesOutputs)
    ) { product, part in
        let (slices, dy, x, scattered, gradient, sharesOutputs) = product
        sumOuterProductsAlone(
            slices, dy, x, outputs: sharesOutputs ? part : 0..<dy.columns,
            inputs: sharesOutputs ? 0..<x.columns : part, adding: scattered, into: gradient)
    }
}

/// A part of the gradient on the calling thread.
private func sumOuterProductsAlone(
    _ slices: RowSlices, _ dy: Matrix, _ x: Matrix, outputs allOutputs: Range<Int>, inputs allInputs: Range<Int>,
    adding scattered: ScatteredRows?, into gradient: GradientSums
) {
    let rows = slices.rows
    let scratch = OuterProductScratch.ofThread.current
    scratch.reserve(rows: rows)
    let outputBlock = scratch.width(OuterProductScratch.leftCount, tile: ProductTile.rows, rows: rows)
    let inputBlock = scratch.width(OuterProductScratch.rightCount, tile: ProductTile.columns, rows: rows)
    let tileWidth = (ProductTile.hasPairs ? 2 : 1) * ProductTile.columns
    // Looked up once: each look at an object of a class counts its references.
    let (subtrees, firstSum, firstSlice) = (slices.tree.subtrees, slices.tree.firstSum, slices.tree.local.lowerBound)
    let (left, right, tiles) = (scratch.left, scratch.right, scratch.tiles)
    forEachBlock(of: allInputs, size: inputBlock) { inputs in
        forEachPart(of: inputs, size: ProductTile.columns) { part, index in
            packSlices(slices, x.columns(part), width: ProductTile.columns, into: right + index * rows) {
                ProductPacking.packColumns($0, into: $1)
            }
        }
        forEachBlock(of: allOutputs, size: outputBlock) { outputs in
            forEachPart(of: outputs, size: ProductTile.rows) { part, index in
                packSlices(slices, dy.columns(part), width: ProductTile.rows, into: left + index * rows) {
                    ProductPacking.packLeft($0, into: $1)
                }
            }
            forEachPart(of: inputs, size: tileWidth) { tileInputs, input in
                let tileHeight = (tileInputs.count > ProductTile.columns ? 2 : 1) * ProductTile.rows
                forEachPart(of: outputs, size: tileHeight) { tileOutputs, output in
                    let factors = SliceFactors(
                        left: left + output * rows, right: right + input * rows, bounds: slices.bounds,
                        turns: slices.turns, rows: rows, firstSlice: firstSlice,
                        scattered: scattered.flatMap { $0.concerns(tileOutputs) ? $0 : nil }, outputs: tileOutputs,
                        inputs: tileInputs)
                    for index in 0..<subtrees.count {
                        factors.sum(subtrees[index], into: tiles)
                        let sum = gradient[firstSum + index] + tileOutputs.lowerBound * x.columns
                        factors.forEachPanel { panelInputs, tile in
                            ProductTile.copy(
                                tiles + tile, into: sum + panelInputs.lowerBound, stride: x.columns,
                                rows: tileOutputs.count, columns: panelInputs.count)
                        }
                    }
                }
            }
        }
    }
}

/// Makes room for sums over at most `rows` rows, all turns counted, on the threads of the calling thread's team. Called before training, so
/// that a step allocates nothing.
public func reserveOuterProducts(rows: Int) {
    shareOut(ThreadTeam.threadCount, rows) { rows, _ in OuterProductScratch.ofThread.current.reserve(rows: rows) }
}

/// Memory for packed factors and for the tiles of the nodes at hand.
private final class OuterProductScratch {
    static let ofThread = ThreadLocal { OuterProductScratch() }
    /// Floats of packed factors that are worked on at once, where rows are few: about what a second-level cache holds.
    static let leftCount = 1 << 15
    static let rightCount = 1 << 19
    /// Tiles that are packed at once where rows are many: a row of a wide matrix lies in a page of its own, which should give more than a few floats.
    static let leastTiles = 8
    private var rowCapacity = 0
    // A panel's rows must not cross cache lines, which costs a quarter of the speed, and buffers begin with a page.
    private var leftBuffer = FloatBuffer(count: 0), rightBuffer = FloatBuffer(count: 0)
    private let tileBuffer = FloatBuffer(count: 64 * 4 * ProductTile.count)  // four for each bit of a slice's number
    var left: UnsafeMutablePointer<Float> { leftBuffer.pointer }
    var right: UnsafeMutablePointer<Float> { rightBuffer.pointer }
    var tiles: UnsafeMutablePointer<Float> { tileBuffer.pointer }

    func reserve(rows: Int) {
        guard rows > rowCapacity else { return }
        rowCapacity = rows
        let least = OuterProductScratch.leastTiles * rows
        leftBuffer = FloatBuffer(count: max(OuterProductScratch.leftCount, ProductTile.rows * least))
        rightBuffer = FloatBuffer(count: max(OuterProductScratch.rightCount, ProductTile.columns * least))
    }

    /// How many columns of a factor with `rows` rows are packed at once, in whole tiles.
    func width(_ count: Int, tile: Int, rows: Int) -> Int {
        max(OuterProductScratch.leastTiles, count / max(1, tile * rows)) * tile
    }
}

/// The packed factors of one tile, of two side by side, or of two such pairs, one above the other, all slices one after another.
private struct SliceFactors {
    let left, right: UnsafePointer<Float>
    /// First row of each of the rank's slices in a turn, the number of turns, the rows of all of them, and the number of the first slice.
    let bounds: UnsafePointer<Int>
    let turns, rows, firstSlice: Int
    /// What is added to the tile's rows, the product's `outputs`, and columns, its `inputs`.
    let scattered: ScatteredRows?
    let outputs, inputs: Range<Int>

    private var isPair: Bool { inputs.count > ProductTile.columns }
    private var isFour: Bool { outputs.count > ProductTile.rows }
    /// Rows of a sum, and its floats: the columns of one panel, and after them those of the other.
    private var height: Int { isFour ? 2 * ProductTile.rows : ProductTile.rows }
    private var count: Int { (isPair ? 2 : 1) * height * ProductTile.columns }

    /// Calls `body` for the columns of each panel, and with where they begin in a sum.
    @inline(__always)
    func forEachPanel(_ body: (_ inputs: Range<Int>, _ start: Int) -> Void) {
        forEachPart(of: inputs, size: ProductTile.columns) { body($0, $1 * height) }
    }

    /// sum = the sum over a node's slices, along the tree. It is followed by room for a sum of each level below.
    func sum(_ node: Range<Int>, into sum: UnsafeMutablePointer<Float>) {
        if node.count == 1 {
            multiply(node.lowerBound, into: sum, accumulating: false)
            if let scattered {
                let slice = node.lowerBound - firstSlice
                forEachPanel { scattered.add(slice: slice, outputs: outputs, inputs: $0, to: sum + $1) }
            }
            return
        }
        let (first, second) = SliceTree.children(of: node)
        self.sum(first, into: sum)
        if second.count == 1, scattered == nil {
            multiply(second.lowerBound, into: sum, accumulating: true)
        } else {
            let other = sum + count
            self.sum(second, into: other)
            addVector(other, to: sum, count: count)
        }
    }

    @inline(__always)
    private func multiply(_ slice: Int, into sum: UnsafeMutablePointer<Float>, accumulating: Bool) {
        let first = bounds[slice - firstSlice] * turns
        let count = bounds[slice - firstSlice + 1] * turns - first
        let left = left + first * ProductTile.rows
        let right = right + first * ProductTile.columns
        if isFour {
            ProductTile.multiplyFour(
                left, lower: ProductTile.rows * rows, row: 1, term: ProductTile.rows, panels: right,
                panelDistance: ProductTile.columns * rows, inner: count, into: sum,
                stride: ProductTile.columns, second: 2 * ProductTile.count, accumulating: accumulating)
        } else if isPair {
            ProductTile.multiplyPair(
                left, row: 1, term: ProductTile.rows, panels: right,
                panelDistance: ProductTile.columns * rows, inner: count, into: sum,
                stride: ProductTile.columns, second: ProductTile.count, accumulating: accumulating)
        } else {
            ProductTile.multiply(
                left, row: 1, term: ProductTile.rows, right, inner: count, into: sum, stride: ProductTile.columns,
                accumulating: accumulating)
        }
    }
}

/// Packs some columns of a factor, slice after slice, the turns of each slice together.
@inline(__always)
private func packSlices(
    _ slices: RowSlices, _ columns: Matrix, width: Int, into packed: UnsafeMutablePointer<Float>,
    pack: (Matrix, UnsafeMutablePointer<Float>) -> Void
) {
    if slices.turns == 1 {
        pack(columns.rows(0..<slices.rows), packed)
        return
    }
    var target = packed
    for slice in 0..<slices.count {
        for turn in 0..<slices.turns {
            let rows = slices.range(slice, turn: turn)
            pack(columns.rows(rows), target)
            target += rows.count * width
        }
    }
}

/// Calls `body` for each part of a range, and with how far its begin lies from the range's.
@inline(__always)
private func forEachPart(of range: Range<Int>, size: Int, _ body: (_ part: Range<Int>, _ index: Int) -> Void) {
    forEachBlock(of: range, size: size) { body($0, $0.lowerBound - range.lowerBound) }
}
