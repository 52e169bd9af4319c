import Kernels
import TestSupport
import Testing

@testable import Model

/// Every gradient of every head against differences of the loss, with dropout on: PyTorch's values know nothing of our random numbers.
struct GradientTests {
    /// Zero in exact arithmetic (softmax ignores a shift), so only rounding noise in any program.
    private func isNoise(_ name: String, _ task: String) -> Bool {
        name.hasSuffix("self.key.bias") || name.hasSuffix("summary.bias") || name.hasSuffix("qa_outputs.bias")
            || (task == "ranking" && name.hasSuffix("classifier.bias"))
    }

    /// Three directions for each tensor: the gradient itself, and the gradient with a random half of its elements left out, twice. Along
    /// them the derivative is as large as it can be, so that a relative error of 10⁻³ stands out from rounding, and the halves let no
    /// errors of some elements cancel those of others. Two wholly random directions see elements whose gradient is
    /// wrongly zero; along them the derivative is smaller by the root of the number of elements, and so is what they can see.
    private func directions(_ gradient: [Double], using random: inout TestRandom) -> [(
        vector: [Double], isRandom: Bool
    )] {
        var list = [(vector: gradient, isRandom: false)]
        for _ in 0..<2 { list.append((gradient.map { Bool.random(using: &random) ? $0 : 0 }, false)) }
        for _ in 0..<2 { list.append((gradient.map { _ in Double(random.normal()) }, true)) }
        return list.compactMap { direction in
            let length = direction.vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
            guard length > 0 else { return nil }  // nothing is left of a vector of one element
            return (direction.vector.map { $0 / length }, direction.isRandom)
        }
    }

    @Test(arguments: AllHeads.names.indices)
    func gradientsAreTheDerivativesOfTheLoss(head: Int) {
        check(head, AllHeads.batch(head: head, unitCounts: [3, 0, 5], seed: 21), nil)
    }

    /// Divergences of which nothing is held fixed: only those are derivatives of what they say.
    @Test(
        arguments: [
            (0, 3, .kullbackLeibler), (0, 3, .hellinger), (1, 1, .squaredError), (2, 1, .kullbackLeibler),
            (3, 3, .hellinger),
        ] as [(Int, Int, Divergence)])
    func gradientsWithSoftLabelsAreTheDerivativesOfTheLoss(head: Int, softLabels: Int, divergence: Divergence) {
        check(
            head, AllHeads.batch(head: head, unitCounts: [3, 0, 5], seed: 21, softLabels: softLabels),
            Distillation(divergence, weight: 2, temperature: 1.5))
    }

    /// With the noise that was found for them, which is fixed where the loss is differentiated.
    @Test(
        arguments: [(0, .hellinger), (1, .squaredError), (2, .kullbackLeibler), (3, .hellinger)] as [(Int, Divergence)])
    func gradientsWithTwinsAreTheDerivativesOfTheLoss(head: Int, divergence: Divergence) {
        let perturbation = Perturbation(
            divergence, climbed: head == 1 ? .squaredError : .stable, weight: 2, stepSize: 1, deviation: 0.1,
            radius: 0.5)
        check(head, AllHeads.batch(head: head, unitCounts: [3, 0, 5], seed: 21), nil, perturbation)
    }

    private func check(
        _ head: Int, _ test: TestBatch, _ distillation: Distillation?, _ perturbation: Perturbation? = nil
    ) {
        let task = AllHeads.names[head]
        let batch = test.packed(random: RandomStep(seed: 5, step: 6), perturbation: perturbation)
        batch.distillation = distillation
        let model = AllHeads.model(for: batch)
        test.touch(model.wordGradient)
        model.perturb(batch, head: head)
        let check = DirectionalDerivative(model: model, batch: batch, head: head)
        var random = TestRandom(seed: UInt64(head))
        var largest = (own: 0.0, random: 0.0)
        for (index, group) in model.parameters.groups.enumerated() where model.isActive(group: index, forHead: head) {
            for parameter in group.parameters {
                _ = check.loss()
                let gradient = model.parameters.gradient(of: parameter, tree: batch.tree, words: model.wordGradient)
                    .map(Double.init)
                let norm = gradient.reduce(0) { $0 + $1 * $1 }.squareRoot()
                if isNoise(parameter.name, task) {
                    #expect(norm < 1e-5, "\(parameter.name)")
                    continue
                }
                #expect(norm > 1e-3, "\(parameter.name) has too small a gradient to be checked")
                for direction in directions(gradient, using: &random) {
                    let expected = zip(gradient, direction.vector).reduce(0) { $0 + $1.0 * $1.1 }
                    let typical = direction.isRandom ? norm / Double(gradient.count).squareRoot() : abs(expected)
                    let tolerance = (direction.isRandom ? 2e-2 : 1e-3) * (task == "entailment" ? 1 : 0.1)
                    var error = Double.infinity
                    for change in DirectionalDerivative.changes where error > tolerance / 2 {
                        let found = check.along(
                            direction.vector, of: parameter, largest: min(change / typical, 10 * change))
                        error = min(error, abs(found - expected) / typical)
                    }
                    #expect(error < tolerance, "\(parameter.name), \(direction.isRandom ? "random" : "own") direction")
                    if direction.isRandom {
                        largest.random = max(largest.random, error)
                    } else {
                        largest.own = max(largest.own, error)
                    }
                }
            }
        }
        print("\(task), differences: largest relative error \(largest)")
    }
}
