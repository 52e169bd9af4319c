/// How the slices of a global batch are summed: one fixed binary tree, of which a rank holds a contiguous run of leaves.
///
/// A node covers the slices `2ᵏ·i ..< 2ᵏ·(i+1)`, cut off at the number of slices. The value of a leaf is its slice's own gradient, that
/// of a node the sum of its two children. A rank whose leaves are not one node holds the few maximal nodes that cover
/// them: its `subtrees`. The tree depends on the number of slices only, never on ranks or threads, and so do the bits of its root.
public final class SliceTree {
    /// Number of slices of the global batch.
    public let sliceCount: Int
    /// The rank's slices, or those of them that it computes at once.
    public let local: Range<Int>
    /// The maximal nodes that cover `local`, in order.
    public let subtrees: [Range<Int>]
    /// Which of the rank's gradient sums is that of the first subtree; others come before it where a share is computed in parts.
    public let firstSum: Int
    /// Most columns that `sum` takes.
    public let panelCapacity: Int
    private let scratch: UnsafeMutablePointer<Float>

    /// The tree over `sliceCount` slices as a rank that computes `local` at once sees it.
    public init(sliceCount: Int, local: Range<Int>, firstSum: Int = 0, panelCapacity: Int = 65_536) {
        precondition(sliceCount > 0 && !local.isEmpty && local.lowerBound >= 0 && local.upperBound <= sliceCount)
        self.sliceCount = sliceCount
        self.local = local
        self.firstSum = firstSum
        self.panelCapacity = panelCapacity
        self.subtrees = SliceTree.maximalNodes(covering: local, of: sliceCount)
        let levels = Int.bitWidth - (sliceCount - 1).leadingZeroBitCount
        self.scratch = .allocate(capacity: max(1, levels) * panelCapacity)
        scratch.initialize(repeating: 0, count: max(1, levels) * panelCapacity)
    }

    /// The same slices, of which nothing is summed: for a backward pass that needs no gradients of parameters.
    public init(withoutSums tree: SliceTree) {
        sliceCount = tree.sliceCount
        local = tree.local
        subtrees = []
        firstSum = tree.firstSum
        panelCapacity = 0
        scratch = .allocate(capacity: 0)
    }

    deinit { scratch.deallocate() }

    /// The two children of a node of more than one slice.
    public static func children(of node: Range<Int>) -> (left: Range<Int>, right: Range<Int>) {
        let half = 1 << (Int.bitWidth - 1 - (node.count - 1).leadingZeroBitCount)
        let middle = node.lowerBound + half
        return (node.lowerBound..<middle, middle..<node.upperBound)
    }

    /// The largest nodes of the tree over `sliceCount` slices that lie in `run`, in order; together they cover it.
    public static func maximalNodes(covering run: Range<Int>, of sliceCount: Int) -> [Range<Int>] {
        var nodes: [Range<Int>] = []
        func visit(_ node: Range<Int>) {
            guard node.overlaps(run) else { return }
            if node.lowerBound >= run.lowerBound && node.upperBound <= run.upperBound {
                nodes.append(node)
            } else {
                let (left, right) = children(of: node)
                visit(left)
                visit(right)
            }
        }
        visit(0..<sliceCount)
        return nodes
    }

    /// Sums what `leaf(slice, destination)` writes for each slice of `node` along the tree, into `destination`.
    ///
    /// Of a row at `destination` only `columns` are summed, and `leaf` is given the first of these; `slice` counts from the rank's first slice.
    /// Threads may sum different columns at a time.
    @inline(__always)
    public func sum(
        _ node: Range<Int>, columns: Range<Int>, into destination: UnsafeMutablePointer<Float>,
        leaf: (_ slice: Int, _ destination: UnsafeMutablePointer<Float>) -> Void
    ) {
        precondition(columns.lowerBound >= 0 && columns.upperBound <= panelCapacity)
        sum(node, level: 0, columns: columns, into: destination + columns.lowerBound, leaf: leaf)
    }

    private func sum(
        _ node: Range<Int>, level: Int, columns: Range<Int>, into destination: UnsafeMutablePointer<Float>,
        leaf: (_ slice: Int, _ destination: UnsafeMutablePointer<Float>) -> Void
    ) {
        if node.count == 1 {
            leaf(node.lowerBound - local.lowerBound, destination)
            return
        }
        let (left, right) = SliceTree.children(of: node)
        let other = scratch + level * panelCapacity + columns.lowerBound
        sum(left, level: level + 1, columns: columns, into: destination, leaf: leaf)
        sum(right, level: level + 1, columns: columns, into: other, leaf: leaf)
        addVector(other, to: destination, count: columns.count)
    }
}

/// How the rows of a tall matrix fall into the slices of a rank's share.
///
/// Where a head visits the same rows in several turns, the rows of each turn stand one block after another, and a slice owns its
/// rows of every turn.
public struct RowSlices {
    /// The tree along which sums over these slices go.
    public unowned(unsafe) let tree: SliceTree
    /// First row of each slice, and the number of rows: `tree.local.count + 1` numbers.
    public let bounds: UnsafePointer<Int>
    /// Number of blocks.
    public let turns: Int

    /// Slices of the rows bounded by `bounds`.
    public init(_ tree: SliceTree, bounds: UnsafePointer<Int>, turns: Int = 1) {
        self.tree = tree
        self.bounds = bounds
        self.turns = turns
    }

    /// Number of slices that this rank holds.
    public var count: Int { tree.local.count }
    /// Number of rows of one turn.
    var rowsPerTurn: Int { bounds[count] }
    /// Number of rows of all turns.
    public var rows: Int { rowsPerTurn * turns }

    /// The rows of `slice` in `turn`.
    @inline(__always)
    public func range(_ slice: Int, turn: Int = 0) -> Range<Int> {
        (bounds[slice] + turn * rowsPerTurn)..<(bounds[slice + 1] + turn * rowsPerTurn)
    }

    /// The same rows, visited in `count` turns.
    public func repeated(_ count: Int) -> RowSlices { RowSlices(tree, bounds: bounds, turns: count) }
}

/// Where the gradient of one parameter goes: one sum for each of the rank's subtrees, from its tree's `firstSum` on.
///
/// A gradient is written once in a step, as a sum over slices along the tree; there is nothing to clear beforehand.
public struct GradientSums {
    private let bases: UnsafePointer<UnsafeMutablePointer<Float>>
    private let offset: Int

    /// The sums at `offset` in each of the buffers that `bases` names, one for each subtree.
    public init(bases: UnsafePointer<UnsafeMutablePointer<Float>>, offset: Int) {
        self.bases = bases
        self.offset = offset
    }

    /// The sum over the slices of a subtree.
    @inline(__always)
    public subscript(subtree: Int) -> UnsafeMutablePointer<Float> { bases[subtree] + offset }
}
