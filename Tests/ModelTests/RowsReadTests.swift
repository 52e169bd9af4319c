import Kernels
import TestSupport
import Testing

@testable import Model

/// Computing only first tokens in the last layer gives what computing all rows gives there.
struct RowsReadTests {
    @Test(arguments: [1, 2], [Float(0), 0.2])
    func firstTokensAreTheSameAloneAndAmongAll(layers: Int, dropout: Float) {
        var sizes = OpenModel.tiny
        sizes.layerCount = layers
        var random = TestRandom(seed: 5)
        let sequences = TestBatch.randomSequences(lengths: [9, 4, 21, 2, 13], vocabulary: 100, using: &random)
        let test = TestBatch(sequences.map { TestUnit(sequences: [$0], label: 0) }, slicesEndingAt: [1, 1, 3])
        let batch = test.packed(random: RandomStep(seed: 3, step: 8))
        let models = (0..<2).map { _ in
            OpenModel(sizes, dropout: dropout, attentionDropout: dropout, for: batch)
        }
        for model in models {
            model.parameters.randomize(seed: 2)
            test.touch(model.wordGradient)
        }
        let alone = models[0].encoder.forward(batch, .firstTokens)
        let among = models[1].encoder.forward(batch, .allTokens)
        let first = models[1].matrix([Float](repeating: 0, count: alone.values.count), columns: 32)
        batch.gatherFirstTokens(of: among, into: first)
        #expect(relativeError(alone.values, first.values) < 2e-6)

        let cotangent = random.normals(alone.values.count)
        models[0].encoder.outputGradient(batch, .firstTokens).assign(cotangent)
        let dall = models[1].encoder.outputGradient(batch, .allTokens)
        dall.fill(0)
        batch.addToFirstTokens(models[1].matrix(cotangent, columns: 32), of: dall)
        models[0].encoder.backward(batch, .firstTokens, words: models[0].wordGradient)
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
