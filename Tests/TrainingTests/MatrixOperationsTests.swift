import Model
import Testing

@testable import Training

/// The operations of a step, counted by hand for a tiny encoder.
@Suite struct MatrixOperationsTests {
    /// Two layers of 4 hidden values and 8 inside the feed-forward network.
    private let operations = MatrixOperations(
        sizes: EncoderSizes(vocabularySize: 10, hiddenSize: 4, layerCount: 2, headCount: 2, intermediateSize: 8))
    /// Sequences of 3 and 5 tokens.
    private let sequences: [MatrixOperations.Sequence] = [.init(first: 3, second: 0), .init(first: 2, second: 3)]

    /// A layer that computes all 8 rows: Q, K, V and attention's output are four products of 8 x 4 by 4 x 4, feed-forward two of
    /// 8 x 4 by 4 x 8, attention Q·Kᵀ and P·V of 3 x 3 and 5 x 5 with 4 values.
    private let wholeLayer = 4 * (2 * 8 * 4 * 4) + 2 * (2 * 8 * 4 * 8) + 2 * (2 * 9 * 4) + 2 * (2 * 25 * 4)

    @Test func `A pooled head reads first tokens: the last layer computes two rows`() {
        // K and V of 8 rows; Q, output and feed-forward of 2 rows; attention of one row over 3 and over 5 tokens.
        let lastLayer =
            2 * (2 * 8 * 4 * 4) + 2 * (2 * 2 * 4 * 4) + 2 * (2 * 2 * 4 * 8) + 2 * (2 * 3 * 4) + 2 * (2 * 5 * 4)
        let pooler = 2 * 2 * 4 * 4
        let classifier = 2 * 2 * 4 * 3
        #expect(wholeLayer == 2592 && lastLayer == 1024)
        #expect(
            operations.count(sequences, head: .classification(classes: 3))
                == 3 * (wholeLayer + lastLayer + pooler + classifier))
        for kind in [HeadDefinition.Kind.regression, .ranking] {
            #expect(operations.count(sequences, head: kind) == 3 * (2592 + 1024 + 64 + 16))
        }
    }

    @Test func `The answer network reads all tokens`() {
        // Weights and sum of the 3 second tokens.
        let summary = 2 * (2 * 3 * 4)
        // A turn, for two sequences with 3 and 2 first tokens: the query, weights and sum, the classifier on 16 features.
        let turn = 2 * (2 * 4 * 4) + 2 * (2 * 5 * 4) + 2 * (2 * 16 * 3)
        // Between two turns, for two sequences: three gates from input and from state.
        let recurrence = 2 * 2 * (2 * 12 * 4)
        #expect(summary == 48 && turn == 336 && recurrence == 384)
        #expect(
            operations.count(sequences, head: .answerNetwork(classes: 3, turns: 2, predictionDropout: 0.1))
                == 3 * (2 * wholeLayer + summary + 2 * turn + recurrence))
    }

    @Test func `A batch has the operations of its sequences: none for padding`() {
        #expect(operations.count([], head: .regression) == 0)
        let alone = sequences.map { operations.count([$0], head: .regression) }
        #expect(alone.reduce(0, +) == operations.count(sequences, head: .regression))
    }
}
