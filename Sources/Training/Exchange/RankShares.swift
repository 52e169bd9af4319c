import Kernels

/// How the slices of a global batch are shared out among ranks: each rank holds a contiguous run, and computes it in parts, one after another.
struct RankShares {
    /// A node of the slice tree whose sum one rank hands over whole.
    struct Node {
        let slices: Range<Int>
        let rank: Int
        /// Number of the node among its rank's subtrees.
        let subtree: Int
    }

    /// Number of slices of the global batch.
    let sliceCount: Int
    /// The maximal nodes of all ranks, in slice order.
    let nodes: [Node]
    /// The slices of each rank.
    let runs: [Range<Int>]
    /// The slices of each part of each rank.
    let parts: [[Range<Int>]]

    /// The shares of `rankCount` ranks in `partCount` parts each; together there are at most as many parts as slices.
    init(sliceCount: Int, rankCount: Int, partCount: Int = 1) {
        precondition(rankCount * partCount <= sliceCount)
        self.sliceCount = sliceCount
        let runs = (0..<sliceCount).divided(in: rankCount)
        let parts = runs.map { $0.divided(in: partCount) }
        self.runs = runs
        self.parts = parts
        nodes = parts.enumerated().flatMap { rank, parts in
            let nodes = parts.flatMap { SliceTree.maximalNodes(covering: $0, of: sliceCount) }
            return nodes.enumerated().map { Node(slices: $1, rank: rank, subtree: $0) }
        }
    }

    /// The tree over the slices of each part of a rank.
    func trees(ofRank rank: Int, panelCapacity: Int) -> [SliceTree] {
        var trees: [SliceTree] = []
        var sums = 0
        for part in parts[rank] {
            let tree = SliceTree(
                sliceCount: sliceCount, local: part, firstSum: sums, panelCapacity: panelCapacity)
            trees.append(tree)
            sums += tree.subtrees.count
        }
        return trees
    }
}

extension Range<Int> {
    /// `count` runs of nearly equal length, one after another.
    fileprivate func divided(in count: Int) -> [Range<Int>] {
        (0..<count).map { part in
            (lowerBound + self.count * part / count)..<(lowerBound + self.count * (part + 1) / count)
        }
    }
}
