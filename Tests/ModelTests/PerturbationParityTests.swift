import Kernels
import Storage
import TestSupport
import Testing

@testable import Model

/// Noise on twins, and the loss and gradients that it leads to, against transformers' `BertModel` and torch's autograd.
struct PerturbationParityTests {
    enum Case: String, CaseIterable {
        case classification, regression, ranking, san
    }

    @Test(arguments: Case.allCases, [[], [0, 1, 1]])
    func `Noise, loss and gradients are torch's`(kind: Case, cut: [Int]) throws {
        let file = try SafeTensors(References.path("perturbation.safetensors"))
        let test = TestBatch(try units(kind, file), slicesEndingAt: cut)
        let batch = test.packed(random: RandomStep(seed: 1, step: 1), perturbation: perturbation(kind))
        let model = MultiTaskModel(
            encoder: OpenModel.tiny, heads: [HeadDefinition(task: "task", kind: headKind(kind), dropout: 0)],
            dropout: .init(hidden: 0, attention: 0), capacity: batch.capacity,
            gradientBuffers: batch.tree.subtrees.count, touchedWords: 100)
        _ = Unmanaged.passRetained(model)  // never freed, so that no view of its memory outlives it
        func short(_ name: String) -> String {
            name.hasPrefix("heads.") ? String(name.dropFirst("heads.task.".count)) : name
        }
        try model.parameters.load(SafeTensors(References.path("encoder.safetensors")))
        try model.parameters.load(file, prefix: "\(kind).parameters.", rename: short)
        test.touch(model.wordGradient)

        let noise = try #require(model.encoder.noise)
        let first = try file.read("noise")
        let twins = (0..<batch.unitCount).flatMap { batch.tokens(ofTwinsOf: $0) }
        for (index, token) in twins.enumerated() {
            noise.rows.rows(token..<(token + 1)).assign(Array(first[(index * 32)..<(index * 32 + 32)]))
        }
        model.climb(batch, head: 0)
        let found = twins.flatMap { noise.rows.rows($0..<($0 + 1)).values }
        let noiseError = try relativeError(found, file.read("\(kind).noise"))
        // Two steps up a steep slope: torch in Float is 2e-5 away from torch in Double.
        #expect(noiseError < 3e-4)

        _ = model.forward(batch, head: 0)
        model.backward(batch, head: 0)
        let loss = (0..<batch.unitCount).reduce(0.0) { $0 + batch.losses[$1] } / Double(batch.unitCount)
        #expect(try relativeError([Float(loss)], file.read("\(kind).loss")) < 1e-5)
        func key(_ parameter: String) -> String { "\(kind).gradients.\(short(parameter))" }
        let compared = model.parameters.all.filter { file.contains(key($0.name)) }
        #expect(compared.count >= 7)
        let largest = try model.parameters.expectGradients(
            of: compared, batch, model.wordGradient, within: 1e-4,
            zeros: ["key.bias", "summary.bias"] + (kind == .ranking ? ["classifier.bias"] : []), within: 1e-5, of: file,
            key: key)
        print("\(kind) with twins, slices ending at \(cut): noise \(noiseError), largest relative error \(largest)")
    }

    /// What a rank holds must change neither noise nor sums: the twins of an example are with it. Only the first four heads have scores to be compared.
    @Test(arguments: AllHeads.names.indices.prefix(4))
    func `Noise of an example does not depend on what else a rank holds`(head: Int) throws {
        let test = AllHeads.batch(head: head, unitCounts: [2, 0, 3, 1])
        let perturbation = Perturbation(
            head == 1 ? .squaredError : .symmetricKullbackLeibler, climbed: head == 1 ? .squaredError : .stable,
            steps: 2, stepSize: 1, deviation: 0.1)
        func noise(local: Range<Int>) throws -> [Float] {
            let batch = test.packed(local: local, random: RandomStep(seed: 5, step: 6), perturbation: perturbation)
            let model = AllHeads.model(for: batch)
            model.perturb(batch, head: head)
            let rows = try #require(model.encoder.noise).rows
            return (0..<batch.unitCount).flatMap { batch.tokens(ofTwinsOf: $0) }.flatMap {
                rows.rows($0..<($0 + 1)).values
            }
        }
        let whole = try noise(local: 0..<4)
        #expect(try bits(noise(local: 0..<1) + noise(local: 1..<4)) == bits(whole))
        #expect(whole.allSatisfy { abs($0) <= 1 } && whole.contains { abs($0) > 0.99 })
    }

    private func perturbation(_ kind: Case) -> Perturbation {
        let (divergence, norm): (Divergence, NoiseNorm) =
            switch kind {
            case .classification: (.symmetricKullbackLeibler, .largest)
            case .regression: (.squaredError, .euclidean)
            case .ranking: (.jensenShannon, .signs)
            case .san: (.kullbackLeibler, .largest)
            }
        return Perturbation(
            divergence, climbed: kind == .regression ? .squaredError : .stable, weight: 0.8, steps: 2, stepSize: 3,
            norm: norm, radius: 0.7)
    }

    private func headKind(_ kind: Case) -> HeadDefinition.Kind {
        switch kind {
        case .classification: .classification(classes: 3)
        case .regression: .regression
        case .ranking: .ranking
        case .san: .answerNetwork(classes: 3, turns: 5, predictionDropout: 0)
        }
    }

    private func units(_ kind: Case, _ file: SafeTensors) throws -> [TestUnit] {
        let sequences = try TestBatch.sequences(file)
        switch kind {
        case .ranking:
            var start = 0
            let sizes = try file.readIntegers("query_sizes").map(Int.init)
            return zip(sizes, try file.readIntegers("positives")).map { size, positive in
                defer { start += size }
                return TestUnit(sequences: Array(sequences[start..<(start + size)]), label: Float(positive))
            }
        case .regression:
            return zip(sequences, try file.read("numbers")).map { TestUnit(sequences: [$0], label: $1) }
        default:
            return zip(sequences, try file.readIntegers("classes")).map { TestUnit(sequences: [$0], label: Float($1)) }
        }
    }
}
