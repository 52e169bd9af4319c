import TestSupport
import Testing

@testable import Kernels

struct SliceTreeTests {
    /// All nodes of the tree over `count` slices, from the definition: aligned runs of 2ᵏ slices, cut off at the end.
    private func nodes(_ count: Int) -> Set<Range<Int>> {
        var nodes: Set<Range<Int>> = []
        var width = 1
        while true {
            for start in stride(from: 0, to: count, by: width) { nodes.insert(start..<min(start + width, count)) }
            if width >= count { return nodes }
            width *= 2
        }
    }

    @Test(arguments: 1...17)
    func childrenAreNodesThatHalveTheirParent(count: Int) {
        for node in nodes(count) where node.count > 1 {
            let (left, right) = SliceTree.children(of: node)
            #expect(left.lowerBound == node.lowerBound && left.upperBound == right.lowerBound)
            #expect(right.upperBound == node.upperBound)
            #expect(nodes(count).contains(left) && nodes(count).contains(right))
        }
    }

    @Test(arguments: 1...17)
    func subtreesOfEveryRunCoverItWithTheFewestNodes(count: Int) {
        for first in 0..<count {
            for end in (first + 1)...count {
                let tree = SliceTree(sliceCount: count, local: first..<end, panelCapacity: 1)
                #expect(tree.subtrees.flatMap(Array.init) == Array(first..<end))
                for subtree in tree.subtrees {
                    #expect(nodes(count).contains(subtree))
                    // Maximal: no larger node of the tree lies in the run.
                    let larger = nodes(count).contains {
                        $0.count > subtree.count && $0.contains(subtree.lowerBound) && $0.lowerBound >= first
                            && $0.upperBound <= end
                    }
                    #expect(!larger)
                }
            }
        }
    }

    @Test(arguments: 1...17)
    func aSumIsTheSameBitsHoweverRanksShareTheSlices(count: Int) {
        var random = TestRandom(seed: UInt64(count))
        // Numbers of very different sizes: any other order of additions gives other bits.
        let leaves = (0..<count).map { _ in
            (0..<5).map { _ in random.normal() * Float.random(in: 0...1e4, using: &random) }
        }
        func parts(_ local: Range<Int>) -> [Range<Int>: [Float]] {
            let tree = SliceTree(sliceCount: count, local: local, panelCapacity: 5)
            var parts: [Range<Int>: [Float]] = [:]
            for node in tree.subtrees {
                let sum = OwnedMatrix(rows: 1, columns: 5)
                tree.sum(node, columns: 0..<5, into: sum.pointer) { slice, destination in
                    destination.update(from: leaves[local.lowerBound + slice], count: 5)
                }
                #expect(sum.marginIsUntouched)
                parts[node] = sum.values
            }
            return parts
        }
        let byDefinition = sumAlongTree(
            Dictionary(uniqueKeysWithValues: leaves.enumerated().map { ($0..<($0 + 1), $1) }), sliceCount: count)
        #expect(bits(sumAlongTree(parts(0..<count), sliceCount: count)) == bits(byDefinition))
        for _ in 0..<20 {
            let cuts = Set((0..<3).map { _ in Int.random(in: 1...count, using: &random) }).union([0, count]).sorted()
            var all: [Range<Int>: [Float]] = [:]
            for (first, end) in zip(cuts, cuts.dropFirst()) { all.merge(parts(first..<end)) { first, _ in first } }
            #expect(bits(sumAlongTree(all, sliceCount: count)) == bits(byDefinition), "\(cuts)")
        }
    }
}
