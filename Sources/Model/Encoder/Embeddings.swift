import Kernels

/// The lexicon encoder: x = dropout(LayerNorm(word + position + segment)).
final class Embeddings {
    let word: Parameter  // [vocabulary, hidden]
    private let position: Parameter  // [positions, hidden]
    private let segment: Parameter  // [segments, hidden]
    private let normalization: Normalization
    private let dropout: Dropout
    private let epsilon: Float
    private let normalized: Matrix
    private let inverseDeviations: UnsafeMutablePointer<Float>

    /// The word embeddings are a group of their own, the rest begins the group `encoder`.
    init(
        _ sizes: EncoderSizes, dropout: Float, capacity: BatchCapacity, in parameters: Parameters,
        _ workspace: Workspace
    ) {
        parameters.beginGroup("word_embeddings")
        word = parameters.add("embeddings.word_embeddings.weight", sizes.vocabularySize, sizes.hiddenSize)
        parameters.beginGroup("encoder")
        position = parameters.add("embeddings.position_embeddings.weight", sizes.maximumPositions, sizes.hiddenSize)
        segment = parameters.add("embeddings.token_type_embeddings.weight", sizes.segmentCount, sizes.hiddenSize)
        normalization = Normalization("embeddings.LayerNorm", size: sizes.hiddenSize, in: parameters)
        self.dropout = Dropout(probability: dropout, site: DropoutSite.embeddings)
        epsilon = sizes.epsilon
        normalized = workspace.matrix(rows: capacity.tokens, columns: sizes.hiddenSize)
        inverseDeviations = workspace.array(Float.self, capacity.tokens)
    }

    func forward(_ batch: PackedBatch, into x: Matrix) {
        let words = word.value
        let positions = position.value
        let segments = segment.value
        let sums = normalized.prefix(batch.tokenCount)
        for token in 0..<batch.tokenCount {
            let sum = sums.row(token)
            sum.update(from: words.row(Int(batch.tokens[token])), count: sums.columns)
            addVector(positions.row(Int(batch.tokenIdentities[token].row)), to: sum, count: sums.columns)
            addVector(segments.row(Int(batch.segments[token])), to: sum, count: sums.columns)
        }
        residualLayerNormalization(
            sums, bias: nil, residual: nil, dropout: nil, scale: normalization.weight.pointer,
            shift: normalization.bias.pointer, epsilon: epsilon, into: x, inverseDeviations: inverseDeviations)
        batch.rowDropout(dropout, .allTokens)?.apply(to: x)
    }

    /// - Parameter dx: gradient of the output [tokens, hidden]; overwritten.
    func backward(_ dx: Matrix, batch: PackedBatch, words: WordGradient) {
        batch.rowDropout(dropout, .allTokens)?.apply(to: dx)
        let hat = normalized.prefix(batch.tokenCount)
        normalization.backwardParameters(batch.tokenSlices, dx, normalized: hat)
        residualLayerNormalizationBackward(
            dx, normalized: hat, inverseDeviations: inverseDeviations, scale: normalization.weight.pointer,
            dropout: nil,
            dresidual: dx, dx: dx)
        backwardSegments(dx, batch: batch)
        backwardPositions(dx, batch: batch)
        words.backward(dx, batch: batch)
    }

    private func backwardSegments(_ dx: Matrix, batch: PackedBatch) {
        for index in 0..<segment.rows {
            sumOverSlices(
                batch.tokenSlices, count: dx.columns, into: segment.gradient, at: index * dx.columns
            ) { slice, sum in
                sum.update(repeating: 0, count: dx.columns)
                for token in batch.tokenSlices.range(slice) where Int(batch.segments[token]) == index {
                    addVector(dx.row(token), to: sum, count: dx.columns)
                }
            }
        }
    }

    private func backwardPositions(_ dx: Matrix, batch: PackedBatch) {
        for index in 0..<position.rows {
            sumOverSlices(
                batch.sequenceSlices, count: dx.columns, into: position.gradient, at: index * dx.columns
            ) { slice, sum in
                sum.update(repeating: 0, count: dx.columns)
                for sequence in batch.sequenceSlices.range(slice) {
                    let tokens = batch.tokens(of: sequence)
                    if index < tokens.count { addVector(dx.row(tokens.lowerBound + index), to: sum, count: dx.columns) }
                }
            }
        }
    }
}
