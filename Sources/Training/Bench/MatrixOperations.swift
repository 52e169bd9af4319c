import Data
import Model

/// Counts the additions and multiplications of the matrix products that a training step needs, forward and backward.
///
/// Counted is what the result needs, not what a program does: real tokens only, in the last layer only the rows that the head reads,
/// attention within each sequence. Products of a matrix and a vector count; softmax, normalisation, activations, dropout, bias and
/// optimizer do not. Backward needs two products of the size of each forward one, for the gradients of its two factors; attention
/// probabilities that it computes once more to save memory are not counted again.
struct MatrixOperations {
    /// The lengths of one sequence's two texts in tokens, [CLS] and separators included; the second may be empty.
    struct Sequence: Equatable {
        var first: Int
        var second: Int
        var length: Int { first + second }
        /// The pieces that are masked in pre-training, [CLS] and two separators not being among those that can be.
        var maskedCount: Int { max(1, (15 * (length - 3) + 50) / 100) }
    }

    /// The encoder's sizes.
    let sizes: EncoderSizes

    /// Operations of one training step on `sequences` with a head of `kind`.
    func count(_ sequences: [Sequence], head kind: HeadDefinition.Kind) -> Int {
        let forward = encoder(sequences, reads: MatrixOperations.reads(kind)) + head(kind, sequences)
        return 3 * forward
    }

    private static func reads(_ kind: HeadDefinition.Kind) -> RowsRead {
        switch kind {
        case .answerNetwork, .labelling, .span: .allTokens
        case .classification, .regression, .ranking: .firstTokens
        case .maskedWords: .maskedTokens
        }
    }

    /// The rows of a sequence that are read.
    private static func rows(_ sequence: Sequence, _ reads: RowsRead) -> Int {
        switch reads {
        case .allTokens: sequence.length
        case .firstTokens: 1
        case .maskedTokens: 1 + sequence.maskedCount
        }
    }

    /// a·b with a [m, k] and b [k, n]: m·n·k multiplications and as many additions.
    private func product(_ m: Int, _ n: Int, _ k: Int) -> Int { 2 * m * n * k }

    private func encoder(_ sequences: [Sequence], reads: RowsRead) -> Int {
        let whole = layer(sequences, reads: .allTokens)
        return (sizes.layerCount - 1) * whole + layer(sequences, reads: reads)
    }

    /// Keys and values of all tokens; queries, attention, its output and feed-forward for the rows that are read.
    private func layer(_ sequences: [Sequence], reads: RowsRead) -> Int {
        let (hidden, inner) = (sizes.hiddenSize, sizes.intermediateSize)
        let tokens = sequences.reduce(0) { $0 + $1.length }
        let rows = sequences.reduce(0) { $0 + MatrixOperations.rows($1, reads) }
        let keysAndValues = product(tokens, 2 * hidden, hidden)
        let queriesAndOutput = 2 * product(rows, hidden, hidden)
        let feedForward = 2 * product(rows, inner, hidden)
        // Q·Kᵀ and P·V of all heads together.
        let attention = sequences.reduce(0) {
            $0 + 2 * product(MatrixOperations.rows($1, reads), $1.length, hidden)
        }
        return keysAndValues + queriesAndOutput + feedForward + attention
    }

    private func head(_ kind: HeadDefinition.Kind, _ sequences: [Sequence]) -> Int {
        switch kind {
        case .classification(let classes): pooled(classes, sequences.count)
        case .regression, .ranking: pooled(1, sequences.count)
        case .labelling(let classes): product(sequences.reduce(0) { $0 + $1.length }, classes, sizes.hiddenSize)
        case .span: product(sequences.reduce(0) { $0 + $1.length }, 2, sizes.hiddenSize)
        case .maskedWords:
            pooled(2, sequences.count)
                + product(
                    sequences.reduce(0) { $0 + $1.maskedCount }, sizes.hiddenSize + sizes.vocabularySize,
                    sizes.hiddenSize)
        case .answerNetwork(let classes, let turns, _):
            sequences.reduce(0) { $0 + answerNetwork($1, classes: classes, turns: turns) }
        }
    }

    /// Pooler and linear layer on first tokens.
    private func pooled(_ outputs: Int, _ count: Int) -> Int {
        product(count, sizes.hiddenSize, sizes.hiddenSize) + product(count, outputs, sizes.hiddenSize)
    }

    /// The second text is weighed and summed once; each turn transforms the state, weighs and sums the first text and classifies;
    /// between two turns the gated recurrent unit has three gates with two products each.
    private func answerNetwork(_ sequence: Sequence, classes: Int, turns: Int) -> Int {
        let hidden = sizes.hiddenSize
        let summary = 2 * product(1, sequence.second, hidden)
        let turn =
            product(1, hidden, hidden) + 2 * product(1, sequence.first, hidden) + product(1, classes, 4 * hidden)
        let recurrence = 2 * product(1, 3 * hidden, hidden)
        return summary + turns * turn + (turns - 1) * recurrence
    }
}

extension TokenFile {
    /// The lengths of the texts of an example's sequences.
    func lengths(of example: Int) -> [MatrixOperations.Sequence] {
        sequences(of: example).map { sequence in
            let segments = segments(of: sequence)
            let second = segments.reduce(0) { $0 + Int($1) }
            return MatrixOperations.Sequence(first: segments.count - second, second: second)
        }
    }
}
