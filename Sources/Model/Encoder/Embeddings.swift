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
        parameters.beginGroup(.wordEmbeddings)
        word = parameters.add("embeddings.word_embeddings.weight", sizes.vocabularySize, sizes.hiddenSize)
        parameters.beginGroup(.encoder)
        position = parameters.add("embeddings.position_embeddings.weight", sizes.maximumPositions, sizes.hiddenSize)
        segment = parameters.add("embeddings.token_type_embeddings.weight", sizes.segmentCount, sizes.hiddenSize)
        normalization = Normalization("embeddings.LayerNorm", size: sizes.hiddenSize, in: parameters)
        self.dropout = Dropout(probability: dropout, site: DropoutSite.embeddings)
        epsilon = sizes.epsilon
        normalized = workspace.matrix(rows: capacity.tokens, columns: sizes.hiddenSize)
        inverseDeviations = workspace.array(Float.self, capacity.tokens)
    }

    func forward(_ batch: PackedBatch, into x: Matrix) {
        let sums = normalized.prefix(batch.tokenCount)
        shareOut(
            batch.tokenCount, least: ThreadTeam.leastElements / sums.columns,
            (word.value, position.value, segment.value, batch, sums)
        ) { work, tokens in
            let (words, positions, segments, batch, sums) = work
            for token in tokens {
                let sum = sums.row(token)
                sum.update(from: words.row(Int(batch.tokens[token])), count: sums.columns)
                addVector(positions.row(Int(batch.tokenIdentities[token].row)), to: sum, count: sums.columns)
                addVector(segments.row(Int(batch.segments[token])), to: sum, count: sums.columns)
            }
        }
        residualLayerNormalization(
            sums, bias: nil, residual: nil, dropout: nil, scale: normalization.weight.pointer,
            shift: normalization.bias.pointer, epsilon: epsilon, into: x, inverseDeviations: inverseDeviations)
        batch.rowDropout(dropout, .allTokens)?.apply(to: x)
    }

    /// - Parameter dx: gradient of the output [tokens, hidden]; overwritten.
    func backward(_ dx: Matrix, batch: PackedBatch, words: WordGradient, decoder: TiedDecoderGradient?) {
        batch.rowDropout(dropout, .allTokens)?.apply(to: dx)
        let hat = normalized.prefix(batch.tokenCount)
        normalization.backwardParameters(batch.tokenSlices, dx, normalized: hat)
        residualLayerNormalizationBackward(
            dx, normalized: hat, inverseDeviations: inverseDeviations, scale: normalization.weight.pointer,
            dropout: nil,
            dresidual: dx, dx: dx)
        backwardTable(segment, batch.tokenSlices, dx, batch) { batch, slice, index, add in
            for token in batch.tokenSlices.range(slice) where Int(batch.segments[token]) == index { add(token) }
        }
        backwardTable(position, batch.sequenceSlices, dx, batch) { batch, slice, index, add in
            for sequence in batch.sequenceSlices.range(slice) {
                let tokens = batch.tokens(of: sequence)
                if index < tokens.count { add(tokens.lowerBound + index) }
            }
        }
        words.backward(dx, batch: batch, decoder: decoder)
    }

    /// The gradient of each row of a table: the sum, along the tree, of the tokens' rows of dx that used it.
    /// - Parameter tokens: calls `add` with those tokens of a slice, in order, that used row `index`; it captures nothing.
    private func backwardTable(
        _ table: Parameter, _ slices: RowSlices, _ dx: Matrix, _ batch: PackedBatch,
        tokens: @escaping TokensOfRow
    ) {
        let work = TableWork(table: table, slices: slices, dx: dx, batch: batch, tokens: tokens)
        shareOut(dx.columns, unit: 16, least: leastColumns(batch), work) { work, columns in
            for index in 0..<work.table.rows {
                sumOverSlices(
                    work.slices, columns: columns, into: work.table.gradient, at: index * work.dx.columns
                ) { slice, sum in
                    sum.update(repeating: 0, count: columns.count)
                    work.tokens(work.batch, slice, index) { token in
                        addVector(work.dx.row(token) + columns.lowerBound, to: sum, count: columns.count)
                    }
                }
            }
        }
    }

    private typealias TokensOfRow = (_ batch: PackedBatch, _ slice: Int, _ index: Int, _ add: (Int) -> Void) -> Void

    /// A struct, not a tuple: a function in a generic tuple is wrapped anew, on the heap, each time that it is taken out.
    private struct TableWork {
        let table: Parameter
        let slices: RowSlices
        let dx: Matrix
        let batch: PackedBatch
        let tokens: TokensOfRow
    }

    /// Columns of all tokens that are worth a thread.
    private func leastColumns(_ batch: PackedBatch) -> Int { ThreadTeam.leastElements / max(1, batch.tokenCount) }
}
