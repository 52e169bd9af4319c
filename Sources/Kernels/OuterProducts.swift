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
    forEachBlock(of: allInputs, size: inputBlock) { inputs in
        forEachPart(of: inputs, size: ProductTile.columns) { part, index in
            packSlices(slices, x.columns(part), width: ProductTile.columns, into: scratch.right + index * rows) {
                ProductPacking.packColumns($0, into: $1)
            }
        }
        forEachBlock(of: allOutputs, size: outputBlock) { outputs in
            forEachPart(of: outputs, size: ProductTile.rows) { part, index in
                packSlices(slices, dy.columns(part), width: ProductTile.rows, into: scratch.left + index * rows) {
                    ProductPacking.packLeft($0, into: $1)
                }
            }
            forEachPart(of: inputs, size: ProductTile.columns) { tileInputs, right in
                forEachPart(of: outputs, size: ProductTile.rows) { tileOutputs, left in
                    let factors = SliceFactors(
                        left: scratch.left + left * rows, right: scratch.right + right * rows, slices: slices,
                        scattered: scattered.flatMap { $0.concerns(tileOutputs) ? $0 : nil }, outputs: tileOutputs,
                        inputs: tileInputs)
                    for (subtree, node) in slices.tree.subtrees.enumerated() {
                        factors.sum(node, into: scratch.tiles)
                        ProductTile.copy(
                            scratch.tiles,
                            into: gradient[slices.tree.firstSum + subtree] + tileOutputs.lowerBound * x.columns
                                + tileInputs.lowerBound,
                            stride: x.columns, rows: tileOutputs.count, columns: tileInputs.count)
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
    private(set) var rowCapacity = 0
    private(set) var left, right: UnsafeMutablePointer<Float>
    let tiles: UnsafeMutablePointer<Float>

    private init() {
        left = .allocate(capacity: 0)
        right = .allocate(capacity: 0)
        tiles = .allocate(capacity: 64 * ProductTile.count)  // a level for each bit of a slice's number
    }

    deinit {
        left.deallocate()
        right.deallocate()
        tiles.deallocate()
    }

    func reserve(rows: Int) {
        guard rows > rowCapacity else { return }
        left.deallocate()
        right.deallocate()
        rowCapacity = rows
        left = .allocate(capacity: max(OuterProductScratch.leftCount, ProductTile.rows * rows))
        right = .allocate(capacity: max(OuterProductScratch.rightCount, ProductTile.columns * rows))
    }

    /// How many columns of a factor with `rows` rows fit, in whole tiles, at least one.
    func width(_ count: Int, tile: Int, rows: Int) -> Int { max(1, count / max(1, tile * rows)) * tile }
}

/// The packed factors of one tile, all slices one after another.
private struct SliceFactors {
    let left, right: UnsafePointer<Float>
    let slices: RowSlices
    /// What is added to the tile's rows, the product's `outputs`, and columns, its `inputs`.
    let scattered: ScatteredRows?
    let outputs, inputs: Range<Int>

    /// tile = the sum over a node's slices, along the tree. `tile` is followed by room for a tile of each level below.
    func sum(_ node: Range<Int>, into tile: UnsafeMutablePointer<Float>) {
        if node.count == 1 {
            multiply(node.lowerBound, into: tile, accumulating: false)
            scattered?.add(
                slice: node.lowerBound - slices.tree.local.lowerBound, outputs: outputs, inputs: inputs, to: tile)
            return
        }
        let (first, second) = SliceTree.children(of: node)
        sum(first, into: tile)
        if second.count == 1, scattered == nil {
            multiply(second.lowerBound, into: tile, accumulating: true)
        } else {
            let other = tile + ProductTile.count
            sum(second, into: other)
            ProductTile.add(other, to: tile)
        }
    }

    @inline(__always)
    private func multiply(_ slice: Int, into tile: UnsafeMutablePointer<Float>, accumulating: Bool) {
        let local = slice - slices.tree.local.lowerBound
        let first = slices.bounds[local] * slices.turns
        let count = slices.bounds[local + 1] * slices.turns - first
        ProductTile.multiplyPacked(
            left + first * ProductTile.rows, right + first * ProductTile.columns, inner: count, into: tile,
            stride: ProductTile.columns, accumulating: accumulating)
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
