import Kernels

/// Sums what several nodes of the slice tree hold up to a common ancestor, a block at a time.
final class SumTree {
    private static let blockSize = 4096
    private let root: Range<Int>
    private let leaves: [Range<Int>]
    /// Blocks of the nodes at hand, for each thread.
    private let scratch: UnsafeMutablePointer<Float>
    private let scratchCount: Int
    private let threadCount = ThreadTeam.threadCount
    /// Where each leaf's sum of the segment at hand lies, in the order of `leaves`.
    let sources: UnsafeMutablePointer<UnsafePointer<Float>?>

    /// The tree from `leaves`, in slice order, up to `root`, which they cover.
    init(root: Range<Int>, leaves: [Range<Int>]) {
        self.root = root
        self.leaves = leaves
        let levels = 2 * (Int.bitWidth - root.count.leadingZeroBitCount + 1)
        scratchCount = levels * SumTree.blockSize
        scratch = .allocate(capacity: threadCount * scratchCount)
        scratch.initialize(repeating: 0, count: threadCount * scratchCount)
        sources = .allocate(capacity: leaves.count)
        sources.initialize(repeating: nil, count: leaves.count)
    }

    deinit {
        scratch.deallocate()
        sources.deallocate()
    }

    /// destination = the sum of all sources, `count` floats each; it may be one of them.
    func sum(count: Int, into destination: UnsafeMutablePointer<Float>) {
        if leaves.count == 1, UnsafePointer(destination) == sources[0] { return }
        shareOut(count, unit: 16, least: SumTree.blockSize, (self, destination)) { work, elements in
            let (tree, destination) = work
            precondition(ThreadTeam.currentPart < tree.threadCount)
            let scratch = tree.scratch + ThreadTeam.currentPart * tree.scratchCount
            for start in stride(from: elements.lowerBound, to: elements.upperBound, by: SumTree.blockSize) {
                let size = min(SumTree.blockSize, elements.upperBound - start)
                var next = 0
                tree.sum(tree.root, start: start, count: size, into: destination + start, scratch, next: &next)
            }
        }
    }

    private func sum(
        _ node: Range<Int>, start: Int, count: Int, into block: UnsafeMutablePointer<Float>,
        _ scratch: UnsafeMutablePointer<Float>, next: inout Int
    ) {
        if leaves[next] == node {
            let source = sources[next]! + start
            if source != UnsafePointer(block) { block.update(from: source, count: count) }
            next += 1
            return
        }
        let (left, right) = SliceTree.children(of: node)
        let first = leaf(next, is: left, start)
        let second = first == nil ? nil : leaf(next + 1, is: right, start)
        if let first, let second {
            next += 2
            addVectors(first, second, into: block, count: count)
            return
        }
        // The destination may be the source of a leaf further right, so it is written to only when all of the node is known.
        let one = scratch
        sum(left, start: start, count: count, into: one, scratch + SumTree.blockSize, next: &next)
        if let second = leaf(next, is: right, start) {
            next += 1
            addVectors(one, second, into: block, count: count)
            return
        }
        let other = scratch + SumTree.blockSize
        sum(right, start: start, count: count, into: other, scratch + 2 * SumTree.blockSize, next: &next)
        addVectors(one, other, into: block, count: count)
    }

    /// Where a leaf's block lies if the leaf is the whole of `node`.
    private func leaf(_ index: Int, is node: Range<Int>, _ start: Int) -> UnsafePointer<Float>? {
        index < leaves.count && leaves[index] == node ? sources[index]! + start : nil
    }
}
