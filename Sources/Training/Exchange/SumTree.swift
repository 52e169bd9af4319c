import Kernels

/// Sums what the ranks' subtrees hold along the rest of the slice tree, a block at a time.
final class SumTree {
    private static let blockSize = 4096
    private let shares: RankShares
    private let scratch: UnsafeMutablePointer<Float>
    /// Where each node's sum of the segment at hand lies, in the order of `shares.nodes`.
    let sources: UnsafeMutablePointer<UnsafePointer<Float>?>

    init(_ shares: RankShares) {
        self.shares = shares
        let levels = Int.bitWidth - shares.sliceCount.leadingZeroBitCount + 1
        scratch = .allocate(capacity: levels * SumTree.blockSize)
        scratch.initialize(repeating: 0, count: levels * SumTree.blockSize)
        sources = .allocate(capacity: shares.nodes.count)
        sources.initialize(repeating: nil, count: shares.nodes.count)
    }

    deinit {
        scratch.deallocate()
        sources.deallocate()
    }

    /// destination = the sum of all sources, `count` floats each; it may be one of them.
    func sum(count: Int, into destination: UnsafeMutablePointer<Float>) {
        if shares.nodes.count == 1, UnsafePointer(destination) == sources[0] { return }
        var start = 0
        while start < count {
            let size = min(SumTree.blockSize, count - start)
            var next = 0
            sum(0..<shares.sliceCount, start: start, count: size, into: scratch, level: 0, next: &next)
            (destination + start).update(from: scratch, count: size)
            start += size
        }
    }

    private func sum(
        _ node: Range<Int>, start: Int, count: Int, into block: UnsafeMutablePointer<Float>, level: Int, next: inout Int
    ) {
        if shares.nodes[next].slices == node {
            block.update(from: sources[next]! + start, count: count)
            next += 1
            return
        }
        let (left, right) = SliceTree.children(of: node)
        sum(left, start: start, count: count, into: block, level: level + 1, next: &next)
        let other = scratch + (level + 1) * SumTree.blockSize
        sum(right, start: start, count: count, into: other, level: level + 1, next: &next)
        addVector(other, to: block, count: count)
    }
}
