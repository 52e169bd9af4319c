import Kernels

/// How the slices of a global batch are shared out among ranks: each rank holds a contiguous run.
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

    /// The shares of `rankCount` ranks, at most as many as slices.
    init(sliceCount: Int, rankCount: Int) {
        precondition(rankCount <= sliceCount)
        self.sliceCount = sliceCount
        runs = (0..<rankCount).map { (sliceCount * $0 / rankCount)..<(sliceCount * ($0 + 1) / rankCount) }
        nodes = runs.enumerated().flatMap { rank, run in
            SliceTree.maximalNodes(covering: run, of: sliceCount).enumerated().map {
                Node(slices: $1, rank: rank, subtree: $0)
            }
        }
    }
}
