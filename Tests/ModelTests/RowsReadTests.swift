import Kernels
import TestSupport
import Testing

@testable import Model

/// Computing only first tokens, or those and masked ones, in the last layer gives what computing all rows gives there.
struct RowsReadTests {
    @Test(arguments: [1, 2], [Float(0), 0.2])
    func firstTokensAreTheSameAloneAndAmongAll(layers: Int, dropout: Float) {
        check(.firstTokens, layers: layers, dropout: dropout)
    }

    @Test(arguments: [1, 2], [Float(0), 0.2])
    func maskedTokensAreTheSameAloneAndAmongAll(layers: Int, dropout: Float) {
        check(.maskedTokens, layers: layers, dropout: dropout)
    }

    private func check(_ reads: RowsRead, layers: Int, dropout: Float) {
        var sizes = OpenModel.tiny
        sizes.layerCount = layers
        var random = TestRandom(seed: 5)
        var sequences = TestBatch.randomSequences(lengths: [9, 4, 21, 2, 13], vocabulary: 100, using: &random)
        for (index, masked) in [[3, 4, 8], [], [1, 20], [1], [7]].enumerated() {
            sequences[index].masked = masked.map { (position: $0, piece: 5) }
        }
        let test = TestBatch(sequences.map { TestUnit(sequences: [$0], label: 0) }, slicesEndingAt: [1, 1, 3])
        let batch = test.packed(random: RandomStep(seed: 3, step: 8))
        let models = (0..<2).map { _ in
            OpenModel(sizes, dropout: dropout, attentionDropout: dropout, for: batch)
        }
        for model in models {
            model.parameters.randomize(seed: 2)
            test.touch(model.wordGradient)
        }
        let alone = models[0].encoder.forward(batch, reads)
        #expect(alone.rows == (reads == .firstTokens ? 5 : 12))
        let among = models[1].encoder.forward(batch, .allTokens)
        let first = models[1].matrix([Float](repeating: 0, count: alone.values.count), columns: 32)
        batch.gather(reads, of: among, into: first)
        #expect(relativeError(alone.values, first.values) < 2e-6)

        let cotangent = random.normals(alone.values.count)
        models[0].encoder.outputGradient(batch, reads).assign(cotangent)
        let dall = models[1].encoder.outputGradient(batch, .allTokens)
        dall.fill(0)
        batch.add(models[1].matrix(cotangent, columns: 32), reads, to: dall)
        models[0].encoder.backward(batch, reads, words: models[0].wordGradient)
        models[1].encoder.backward(batch, .allTokens, words: models[1].wordGradient)
        for (one, other) in zip(models[0].parameters.all, models[1].parameters.all)
        where !one.name.hasPrefix("pooler") {
            let found = models[0].parameters.gradient(of: one, tree: batch.tree, words: models[0].wordGradient)
            let expected = models[1].parameters.gradient(of: other, tree: batch.tree, words: models[1].wordGradient)
            if one.name.hasSuffix("key.bias") {
                #expect(absoluteError(found, expected) < 1e-5)  // only rounding noise
            } else {
                #expect(relativeError(found, expected) < 1e-5, "\(one.name)")
            }
        }
    }
}
