import Kernels
import Storage
import TestSupport
import Testing

@testable import Model

/// A teacher's scores in the losses of heads, against torch's functions and autograd.
struct DistillationParityTests {
    static let divergences: [Divergence] = [
        .kullbackLeibler, .symmetricKullbackLeibler, .stable, .symmetricStable, .jensenShannon, .hellinger,
        .squaredError,
    ]

    @Test(arguments: divergences, [1, 2.5])
    func `Values and gradients of a divergence are torch's`(divergence: Divergence, temperature: Double) throws {
        let file = try SafeTensors(References.path("distillation.safetensors"))
        let inputs = try file.read("pairs.input"), targets = try file.read("pairs.target")
        let name = temperature == 1 ? "\(divergence).1" : "\(divergence).\(temperature)"
        let workspace = Workspace()
        let pair = ScorePair(capacity: 4, in: workspace)
        var (values, dinputs, dtargets): ([Float], [Float], [Float]) = ([], [], [])
        for row in 0..<(inputs.count / 4) {
            for index in 0..<4 {
                pair.input[index] = Double(inputs[row * 4 + index])
                pair.target[index] = Double(targets[row * 4 + index])
            }
            values.append(Float(pair.compute(divergence, count: 4, temperature: temperature)))
            for index in 0..<4 {
                dinputs.append(Float(pair.input[index]))
                dtargets.append(Float(pair.target[index]))
            }
        }
        #expect(try absoluteError(values, file.read("\(name).values")) < 1e-6 * largest(values))
        #expect(try absoluteError(dinputs, file.read("\(name).dinput")) < 1e-6 * largest(dinputs))
        let expected = try file.read("\(name).dtarget")
        #expect(absoluteError(dtargets, expected) <= 1e-6 * largest(expected))
        #expect(largest(expected) > 0 || divergence == .stable)
        withExtendedLifetime(workspace) {}
    }

    private func largest(_ values: [Float]) -> Double { values.reduce(0) { max($0, abs(Double($1))) } }

    @Test(
        arguments: [
            "classification.kullbackLeibler", "classification.jensenShannon", "regression.squaredError",
            "ranking.kullbackLeibler", "ranking.hellinger", "answerNetwork.kullbackLeibler", "answerNetwork.stable",
        ], [[], [0, 1, 1, 3]])
    func `Losses and gradients of a head with soft labels are torch's`(name: String, cut: [Int]) throws {
        let file = try SafeTensors(References.path("distillation.safetensors"))
        let test = TestBatch(try units(name, file), slicesEndingAt: cut)
        let batch = test.packed(random: name.hasPrefix("answer") ? nil : RandomStep(seed: 1, step: 1))
        let divergence = try #require(
            DistillationParityTests.divergences.first { name.hasSuffix(".\($0)") })
        batch.distillation = Distillation(divergence, weight: 0.75, temperature: 2.5)
        let kind = headKind(name)
        let model = OpenModel(heads: [HeadDefinition(task: "task", kind: kind, dropout: 0)], for: batch)
        func short(_ name: String) -> String {
            name.hasPrefix("heads.") ? String(name.dropFirst("heads.task.".count)) : name
        }
        try model.parameters.load(file, prefix: "\(name).parameters.", rename: short)
        let rows = model.matrix(try file.read("rows"), columns: 32)
        let drows = model.matrix([Float](repeating: 0, count: rows.rows * 32), columns: 32)
        if let head = model.heads[0] as? StochasticAnswerNetwork {
            head.masks.draw(batch)
            head.masks.turns.prefix(batch.sequenceCount).assign(try file.read("\(name).turn_masks"))
            _ = head.answer(rows, batch)
            head.backward(batch, input: rows, into: drows)
        } else {
            let first = model.matrix([Float](repeating: 0, count: 7 * 32), columns: 32)
            let dfirst = model.matrix([Float](repeating: 0, count: 7 * 32), columns: 32)
            batch.gather(.firstTokens, of: rows, into: first)
            let pooled = model.pooler.forward(first, batch)
            _ = model.heads[0].forward(pooled, batch)
            model.heads[0].backward(batch, input: pooled, into: model.pooler.outputGradient(batch))
            model.pooler.backward(batch, input: first, into: dfirst)
            batch.add(dfirst, .firstTokens, to: drows)
        }
        let loss = (0..<batch.unitCount).reduce(0.0) { $0 + batch.losses[$1] } / Double(batch.unitCount)
        #expect(try relativeError([Float(loss)], file.read("\(name).loss")) < 1e-6)
        let rowsError = relativeError(drows.values, try file.read("\(name).gradients.rows"))
        #expect(rowsError < 2e-5)
        func key(_ parameter: String) -> String { "\(name).gradients.\(short(parameter))" }
        let largest = try model.parameters.expectGradients(
            of: model.parameters.groups[2...].flatMap(\.parameters).filter { file.contains(key($0.name)) }, batch,
            model.wordGradient, within: 2e-5,
            zeros: ["summary.bias"] + (name.hasPrefix("ranking") ? ["classifier.bias"] : []), within: 1e-6, of: file,
            key: key)
        print("\(name), slices ending at \(cut): largest relative error \(max(rowsError, largest))")
    }

    private func headKind(_ name: String) -> HeadDefinition.Kind {
        switch name.prefix(while: { $0 != "." }) {
        case "classification": .classification(classes: 3)
        case "regression": .regression
        case "ranking": .ranking
        default: .answerNetwork(classes: 3, turns: 5, predictionDropout: 0)
        }
    }

    private func units(_ name: String, _ file: SafeTensors) throws -> [TestUnit] {
        var sequences = try TestBatch.sequences(file, hasTokens: false)
        let teacher = try file.read("\(name).softLabels")
        let width = teacher.count / sequences.count
        for index in sequences.indices {
            sequences[index].softLabels = Array(teacher[(index * width)..<((index + 1) * width)])
        }
        let labels =
            name.hasPrefix("regression")
            ? try file.read("\(name).labels") : try file.readIntegers("\(name).labels").map { Float($0) }
        guard name.hasPrefix("ranking") else {
            return zip(sequences, labels).map { TestUnit(sequences: [$0], label: $1) }
        }
        var start = 0
        return zip(try file.readIntegers("\(name).query_sizes").map(Int.init), labels).map { size, label in
            defer { start += size }
            return TestUnit(sequences: Array(sequences[start..<(start + size)]), label: label)
        }
    }
}
