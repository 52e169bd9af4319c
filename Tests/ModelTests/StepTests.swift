import Kernels
import TestSupport
import Testing

@testable import Model

/// A step depends on nothing that an earlier one left behind.
struct StepTests {
    private func gradients(_ model: MultiTaskModel, _ batch: PackedBatch, head: Int) -> [String: [UInt32]] {
        var gradients: [String: [UInt32]] = [:]
        for (index, group) in model.parameters.groups.enumerated() where model.isActive(group: index, forHead: head) {
            for parameter in group.parameters {
                let gradient = model.parameters.gradient(of: parameter, tree: batch.tree, words: model.wordGradient)
                gradients[parameter.name] = bits(gradient)
            }
        }
        return gradients
    }

    @Test(arguments: AllHeads.names.indices)
    func aStepIsTheSameBitsAfterOthers(head: Int) {
        let large = AllHeads.batch(head: (head + 1) % 4, unitCounts: [6, 5, 7], seed: 2)
        let small = AllHeads.batch(head: head, unitCounts: [1, 0, 2], seed: 3)
        let earlier = large.packed(random: RandomStep(seed: 1, step: 1))
        let evaluated = large.packed(random: nil)
        let batch = small.packed(random: RandomStep(seed: 1, step: 2))
        let fresh = AllHeads.model(for: earlier)
        small.touch(fresh.wordGradient)
        let scores = bits(fresh.forward(batch, head: head).values)
        fresh.backward(batch, head: head)
        let expected = gradients(fresh, batch, head: head)

        let used = AllHeads.model(for: earlier)
        large.touch(used.wordGradient)
        _ = used.forward(earlier, head: (head + 1) % 4)
        used.backward(earlier, head: (head + 1) % 4)
        _ = used.forward(evaluated, head: (head + 1) % 4)
        small.touch(used.wordGradient)
        // Scores for all word pieces depend on all of their embeddings.
        let all = 0..<Int32(AllHeads.sizes.vocabularySize)
        let isTouched = AllHeads.names[head] == "pretraining" ? Set(all) : Set(small.sequences.flatMap(\.tokens))
        #expect(Set(used.wordGradient.touched) == isTouched)
        #expect(Array(used.wordGradient.touched) == used.wordGradient.touched.sorted())
        // The gradient is written, not added to what another backward left.
        for _ in 0..<2 {
            #expect(bits(used.forward(batch, head: head).values) == scores)
            used.backward(batch, head: head)
            #expect(gradients(used, batch, head: head) == expected)
        }
    }

    @Test(arguments: AllHeads.names.indices)
    func layersThatAreComputedAgainGiveTheSameBits(head: Int) {
        let test = AllHeads.batch(head: head, unitCounts: [3, 0, 4], seed: 6)
        let batch = test.packed(random: RandomStep(seed: 1, step: 3))
        let models = [false, true].map { AllHeads.model(for: batch, recomputes: $0) }
        let results = models.map { model in
            test.touch(model.wordGradient)
            let scores = bits(model.forward(batch, head: head).values)
            model.backward(batch, head: head)
            return (scores, gradients(model, batch, head: head))
        }
        #expect(results[0].0 == results[1].0 && results[0].1 == results[1].1)
        // All layers but one keep their input only.
        let sizes = AllHeads.sizes
        let kept = 4 * batch.capacity.tokens * (7 * sizes.hiddenSize + 2 * sizes.intermediateSize)
        #expect(models[0].workspaceByteCount - models[1].workspaceByteCount >= kept * (sizes.layerCount - 1))
    }

    @Test func otherHeadsKeepTheirGradientBuffersUntouched() {
        let test = AllHeads.batch(head: 0, unitCounts: [2, 2], seed: 4)
        let batch = test.packed(random: RandomStep(seed: 1, step: 1))
        let model = AllHeads.model(for: batch)
        test.touch(model.wordGradient)
        _ = model.forward(batch, head: 0)
        model.backward(batch, head: 0)
        for (index, group) in model.parameters.groups.enumerated() {
            let isActive = index < 4
            #expect(model.isActive(group: index, forHead: 0) == isActive)
            guard index > 0 else { continue }
            let gradient = group.range.map { model.parameters.gradients(0)[$0] }
            #expect(gradient.contains { $0 != 0 } == isActive, "\(group.name)")
        }
        // The answer network reads no pooler.
        #expect(!model.isActive(group: 2, forHead: 3) && model.isActive(group: 6, forHead: 3))
    }

    @Test func dropoutChangesWithTheStepAndNotInEvaluation() {
        for head in AllHeads.names.indices {
            let test = AllHeads.batch(head: head, unitCounts: [4], seed: 4)
            let steps = [RandomStep(seed: 1, step: 1), RandomStep(seed: 1, step: 2), nil, nil]
            let scores = steps.map { step in
                let batch = test.packed(random: step)
                return bits(AllHeads.model(for: batch).forward(batch, head: head).values)
            }
            #expect(scores[0] != scores[1] && scores[1] != scores[2] && scores[0] != scores[2])
            #expect(scores[2] == scores[3])
        }
    }

    @Test func backwardWithoutRandomNumbersIsRefused() async {
        // Forward keeps what backward needs only in training.
        await #expect(processExitsWith: .failure) {
            let test = AllHeads.batch(head: 0, unitCounts: [2], seed: 4)
            let batch = test.packed(random: nil)
            let model = AllHeads.model(for: batch)
            test.touch(model.wordGradient)
            _ = model.forward(batch, head: 0)
            model.backward(batch, head: 0)
        }
    }

    @Test func sequencesLongerThanThePositionTableAreRefused() async {
        await #expect(processExitsWith: .failure) {
            let sequence = TestSequence(
                tokens: Array(repeating: 1, count: 33), segments: Array(repeating: 0, count: 33))
            let test = TestBatch(slices: [[TestUnit(sequences: [sequence], label: 0)]])
            _ = AllHeads.model(for: test.packed(random: nil))
        }
    }
}
