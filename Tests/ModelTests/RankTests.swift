import Kernels
import TestSupport
import Testing

@testable import Model

/// The promise of equal bits: however ranks share the slices, scores, losses and combined gradients are the same.
struct RankTests {
    /// Units of each of eight slices: slice 2 is empty, and in the second case the whole share of the middle rank.
    static let unitCounts = [[2, 1, 0, 3, 1, 2, 1, 1], [1, 2, 0, 0, 0, 1, 3, 1]]
    static let shares: [[Range<Int>]] = [[0..<3, 3..<5, 5..<8], [0..<7, 7..<8], (0..<8).map { $0..<($0 + 1) }]

    private struct Result: Equatable {
        var scores: [UInt32] = []
        var losses: [Double] = []
        var gradients: [String: [UInt32]] = [:]
    }

    private func run(_ test: TestBatch, head: Int, shares: [Range<Int>]) -> Result {
        var result = Result()
        var parts: [String: [Range<Int>: [Float]]] = [:]
        for local in shares {
            let batch = test.packed(local: local, random: RandomStep(seed: 9, step: 4))
            let model = AllHeads.model(for: batch)
            test.touch(model.wordGradient)
            result.scores += bits(model.forward(batch, head: head).values)
            model.backward(batch, head: head)
            result.losses += (0..<batch.unitCount).map { batch.losses[$0] }
            for (index, group) in model.parameters.groups.enumerated() where model.isActive(group: index, forHead: head)
            {
                for parameter in group.parameters {
                    parts[parameter.name, default: [:]].merge(
                        model.parameters.gradientParts(of: parameter, tree: batch.tree, words: model.wordGradient)
                    ) { first, _ in first }
                }
            }
        }
        result.gradients = parts.mapValues { bits(sumAlongTree($0, sliceCount: test.slices.count)) }
        return result
    }

    @Test(arguments: AllHeads.names.indices, unitCounts)
    func everyShareGivesTheSameBits(head: Int, unitCounts: [Int]) {
        let test = AllHeads.batch(head: head, unitCounts: unitCounts)
        let one = run(test, head: head, shares: [0..<8])
        // Classifier alone: encoder 37, pooler 2, classifier 2; the answer network reads no pooler and has 10 of its own, pre-training 7.
        let counts = ["entailment": 47, "labelling": 39, "span": 39, "pretraining": 46]
        #expect(one.gradients.count == counts[AllHeads.names[head]] ?? 41)
        #expect(one.gradients.values.allSatisfy { $0.contains { $0 & 0x7FFF_FFFF != 0 } })
        #expect(one.losses.count == test.unitCount)
        for shares in RankTests.shares {
            let several = run(test, head: head, shares: shares)
            #expect(several.scores == one.scores)
            #expect(several.losses == one.losses)
            for (name, gradient) in one.gradients {
                #expect(several.gradients[name] == gradient, "\(name) on \(shares)")
            }
        }
    }

    @Test func theSamplesOfABatchAreNotTheSameBitsInOtherSlices() {
        // What the promise rests on: slices are part of the settings. If cutting differently changed nothing, the test above
        // could not fail.
        let units = AllHeads.batch(head: 0, unitCounts: [11]).slices[0]
        let gradients = [[1, 4], [5, 7]].map { cut in
            run(TestBatch(units, slicesEndingAt: cut), head: 0, shares: [0..<3]).gradients
        }
        #expect(gradients[0] != gradients[1])
    }
}
