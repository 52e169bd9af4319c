import Kernels
import Model
import TestSupport
import Testing

@testable import Training

/// How a batch falls into slices, slices to ranks, and parameters to owners.
struct ShareTests {
    private static let lengths = [90, 3, 3, 41, 17, 60, 8, 25, 25, 3, 77]

    @Test(arguments: [1, 2, 3, 5, 8, 16])
    func `Slices hold every example once and about equally many tokens`(sliceCount: Int) {
        var plan = SlicePlan(sliceCount: sliceCount, capacity: 11)
        for count in [11, 1, 0, 7, 11] {
            plan.arrange(count: count) { Self.lengths[$0] }
            let slices = (0..<sliceCount).map { Array(plan.slice($0)) }
            #expect(slices.flatMap { $0 }.sorted() == Array(0..<count))
            // The longest-first rule: no slice is ahead of another by more than its shortest example.
            let loads = slices.map { slice in slice.reduce(0) { $0 + Self.lengths[$1] } }
            for (slice, load) in zip(slices, loads) {
                let shortest = slice.map { Self.lengths[$0] }.min() ?? 0
                #expect(load - shortest <= loads.min() ?? 0)
            }
        }
    }

    /// Eight queries with 3 to 12 candidates, of about equal lengths, are the worst case: a slice each.
    @Test func `Slices are numbered so that ranks have about equally many tokens`() {
        let lengths = [12, 3, 11, 4, 10, 5, 9, 6]
        var plan = SlicePlan(sliceCount: 8, capacity: 8)
        plan.arrange(count: 8) { lengths[$0] }
        let loads = (0..<8).map { plan.slice($0).reduce(0) { $0 + lengths[$1] } }
        #expect(loads.sorted() == lengths.sorted())
        for rankCount in [2, 4] {
            let ranks = RankShares(sliceCount: 8, rankCount: rankCount).runs.map { loads[$0].reduce(0, +) }
            #expect(ranks.min() == 60 / rankCount && ranks.max() == 60 / rankCount)
        }
        // Of five slices four are one child of the tree's root and one is the other.
        plan = SlicePlan(sliceCount: 5, capacity: 8)
        plan.arrange(count: 8) { lengths[$0] }
        #expect((0..<5).map { plan.slice($0).reduce(0) { $0 + lengths[$1] } } == [13, 11, 12, 11, 13])
    }

    @Test func `A plan depends on its batch only, not on the batch before`() {
        var used = SlicePlan(sliceCount: 4, capacity: 11)
        used.arrange(count: 11) { Self.lengths[$0] }
        used.arrange(count: 7) { Self.lengths[10 - $0] }
        var fresh = SlicePlan(sliceCount: 4, capacity: 7)
        fresh.arrange(count: 7) { Self.lengths[10 - $0] }
        #expect(used.places == fresh.places)
        #expect(used.bounds == fresh.bounds)
    }

    @Test(arguments: [3, 5, 7])
    func `What ranks hold is summed to the same bits on several threads`(rankCount: Int) throws {
        let count = 30_011
        let shares = RankShares(sliceCount: 8, rankCount: rankCount)
        var random = TestRandom(seed: 3)
        let leaves = shares.nodes.map { _ in
            (0..<count).map { _ in random.normal() * Float.random(in: 0...1e4, using: &random) }
        }
        func sum() -> [UInt32] {
            let tree = SumTree(root: 0..<8, leaves: shares.nodes.map(\.slices))
            let pointers = leaves.map { values in
                let copy = UnsafeMutablePointer<Float>.allocate(capacity: count)
                for (index, value) in values.enumerated() { (copy + index).initialize(to: value) }
                return copy
            }
            defer { pointers.forEach { $0.deallocate() } }
            for (index, pointer) in pointers.enumerated() { tree.sources[index] = UnsafePointer(pointer) }
            // As in training, the sum takes the place of one of its sources.
            tree.sum(count: count, into: pointers[1])
            return (0..<count).map { pointers[1][$0].bitPattern }
        }
        let alone = sum()
        #expect(try ThreadTeam.with(threads: 3) { sum() } == alone)
    }

    @Test(arguments: [1, 2, 3, 5, 7, 8, 12, 16, 33])
    func `Ranks hold contiguous, equal runs of slices and hand over whole nodes of the tree`(sliceCount: Int) {
        for rankCount in 1...sliceCount {
            let shares = RankShares(sliceCount: sliceCount, rankCount: rankCount)
            #expect(shares.runs.flatMap { Array($0) } == Array(0..<sliceCount))
            let sizes = shares.runs.map(\.count)
            #expect(sizes.max()! - sizes.min()! <= 1)
            #expect(shares.nodes.flatMap { Array($0.slices) } == Array(0..<sliceCount))
            for (rank, run) in shares.runs.enumerated() {
                let nodes = shares.nodes.filter { $0.rank == rank }
                #expect(nodes.map(\.subtree) == Array(nodes.indices))
                #expect(nodes.first?.slices.lowerBound == run.lowerBound)
                #expect(nodes.last?.slices.upperBound == run.upperBound)
                for node in nodes {
                    // Aligned to a power of two, and that long unless the tree's end cuts it off.
                    let size = node.slices.count
                    let whole = size.nonzeroBitCount == 1 ? size : 1 << (Int.bitWidth - size.leadingZeroBitCount)
                    #expect(node.slices.lowerBound.isMultiple(of: whole))
                    #expect(size == whole || node.slices.upperBound == sliceCount)
                }
            }
        }
    }

    /// What the owner adds up: ranks' sums of their nodes, here of one number for each slice.
    @Test(arguments: [1, 2, 3, 5, 7, 8, 12])
    func `The sum over ranks' nodes has the same bits on any number of ranks and parts`(sliceCount: Int) {
        let leaves = (0..<sliceCount).map { Float($0 % 3 == 0 ? 1e7 : 1) / Float($0 + 3) }
        func total(_ rankCount: Int, _ partCount: Int = 1) -> Float {
            let shares = RankShares(sliceCount: sliceCount, rankCount: rankCount, partCount: partCount)
            let trees = (0..<rankCount).map { shares.trees(ofRank: $0, panelCapacity: 1) }
            let sums = UnsafeMutablePointer<Float>.allocate(capacity: shares.nodes.count + 1)
            defer { sums.deallocate() }
            let owner = SumTree(root: 0..<sliceCount, leaves: shares.nodes.map(\.slices))
            for (index, node) in shares.nodes.enumerated() {
                let local = trees[node.rank].last { $0.firstSum <= node.subtree }!
                #expect(local.subtrees[node.subtree - local.firstSum] == node.slices)
                local.sum(node.slices, columns: 0..<1, into: sums + index) { slice, sum in
                    sum.pointee = leaves[local.local.lowerBound + slice]
                }
                owner.sources[index] = UnsafePointer(sums + index)
            }
            owner.sum(count: 1, into: sums)
            return sums.pointee
        }
        let expected = total(1)
        #expect(abs(expected - leaves.reduce(0, +)) <= 1e-6 * expected)
        for rankCount in 1...sliceCount {
            for partCount in 1...(sliceCount / rankCount) { #expect(total(rankCount, partCount) == expected) }
        }
    }

    @Test func `Owners hold all rows of every group once, whole and equally many`() {
        let sizes = EncoderSizes(
            vocabularySize: 101, hiddenSize: 12, layerCount: 2, headCount: 3, intermediateSize: 40, maximumPositions: 9)
        let model = MultiTaskModel(
            encoder: sizes,
            heads: [
                HeadDefinition(task: "a", kind: .classification(classes: 2), dropout: 0),
                HeadDefinition(task: "b", kind: .answerNetwork(classes: 3, turns: 5, predictionDropout: 0), dropout: 0),
            ], dropout: .init(hidden: 0, attention: 0), capacity: .init(tokens: 1, sequences: 1, longest: 1),
            gradientBuffers: 1, touchedWords: 1)
        #expect(model.parameters.groups.map(\.name) == ["word_embeddings", "encoder", "pooler", "heads.a", "heads.b"])
        for group in model.parameters.groups {
            let longestRow = group.parameters.map(\.columns).max()!
            for rankCount in Array(1...20) + [64, 500] {
                let ownership = Ownership(group, rankCount: rankCount)
                #expect(ownership.bounds.count == rankCount + 1)
                #expect(ownership.bounds.first == group.range.lowerBound)
                #expect(ownership.bounds.last == group.range.upperBound)
                let even = Double(group.range.count) / Double(rankCount)
                for rank in 0..<rankCount {
                    let range = ownership.range(of: rank)
                    #expect(abs(Double(range.count) - even) <= Double(longestRow) + 0.02 * even)
                    let pieces = ownership.pieces(of: rank)
                    #expect(pieces.flatMap { Array($0.range) } == Array(range))
                    for piece in pieces {
                        #expect(piece.range.count == piece.rows.count * piece.parameter.columns)
                        #expect(piece.rows.upperBound <= piece.parameter.rows)
                    }
                }
            }
        }
    }
}
