import Kernels

/// BERT's encoder: embeddings, then Transformer layers, over packed sequences.
public final class Encoder {
    /// Its sizes.
    public let sizes: EncoderSizes
    private let embeddings: Embeddings
    private let layers: [TransformerLayer]
    private let recomputes: Bool
    /// The input of each layer, and the output of the last.
    private let states: [Matrix]  // [tokens, hidden]
    private let gradients: (Matrix, Matrix)  // [tokens, hidden]
    /// The noise on twins; nil where no batch has any.
    let noise: TwinNoise?

    init(
        _ sizes: EncoderSizes, dropout: Float, attentionDropout: Float, capacity: BatchCapacity, recomputes: Bool,
        in parameters: Parameters, _ workspace: Workspace
    ) {
        precondition(capacity.longest <= sizes.maximumPositions, "sequences reach beyond the position embeddings")
        precondition(sizes.hiddenSize.isMultiple(of: sizes.headCount), "the heads do not divide the hidden size")
        self.sizes = sizes
        self.recomputes = recomputes
        embeddings = Embeddings(sizes, dropout: dropout, capacity: capacity, in: parameters, workspace)
        noise =
            capacity.isTwinned ? TwinNoise(hiddenSize: sizes.hiddenSize, capacity: capacity, in: workspace) : nil
        let scratch = TransformerLayer.Scratch(sizes, capacity, workspace)
        reserveOuterProducts(rows: capacity.tokens)
        let shared = recomputes ? TransformerLayer.Kept(sizes, capacity, workspace) : nil
        layers = (0..<sizes.layerCount).map {
            TransformerLayer(
                layer: $0, sizes, dropout: dropout, attentionDropout: attentionDropout,
                kept: shared ?? TransformerLayer.Kept(sizes, capacity, workspace), scratch: scratch, in: parameters)
        }
        states = (0...sizes.layerCount).map { _ in
            workspace.matrix(rows: capacity.tokens, columns: sizes.hiddenSize)
        }
        gradients = (
            workspace.matrix(rows: capacity.tokens, columns: sizes.hiddenSize),
            workspace.matrix(rows: capacity.tokens, columns: sizes.hiddenSize)
        )
    }

    /// The word embeddings [vocabulary, hidden].
    public var wordEmbeddings: Parameter { embeddings.word }

    /// The encoder's output for the rows that are read [rows, hidden].
    public func forward(_ batch: PackedBatch, _ reads: RowsRead) -> Matrix {
        embeddings.forward(batch, into: states[0].prefix(batch.tokenCount))
        if batch.perturbation != nil { noise?.add(to: states[0].prefix(batch.tokenCount), batch) }
        for index in 0..<layers.count {
            forwardLayer(index, batch, rowsRead(by: index, reads))
        }
        return output(batch, reads)
    }

    private func forwardLayer(_ index: Int, _ batch: PackedBatch, _ needed: RowsRead) {
        layers[index].forward(
            states[index].prefix(batch.tokenCount), batch, needed,
            into: states[index + 1].prefix(batch.rowCount(needed)))
    }

    /// What `forward` computed last [rows, hidden].
    public func output(_ batch: PackedBatch, _ reads: RowsRead) -> Matrix {
        states[layers.count].prefix(batch.rowCount(reads))
    }

    /// Where heads write the gradient of the rows that were read.
    public func outputGradient(_ batch: PackedBatch, _ reads: RowsRead) -> Matrix {
        gradients.0.prefix(batch.rowCount(reads))
    }

    /// Writes the gradients of all encoder parameters; begins with what stands in `outputGradient`.
    /// - Parameter decoder: the part of a head whose outputs are products with the word embeddings; nil for other heads.
    func backward(
        _ batch: PackedBatch, _ reads: RowsRead, words: WordGradient, decoder: TiedDecoderGradient? = nil
    ) {
        embeddings.backward(backwardLayers(batch, reads), batch: batch, words: words, decoder: decoder)
    }

    /// Writes the gradients of all layers' parameters; returns that of the embeddings' output [tokens, hidden].
    func backwardLayers(_ batch: PackedBatch, _ reads: RowsRead) -> Matrix {
        var (gradient, next) = gradients
        for index in layers.indices.reversed() {
            let needed = rowsRead(by: index, reads)
            // What the last layer kept is still there; of the others only the input is.
            if recomputes, index < layers.count - 1 { forwardLayer(index, batch, needed) }
            layers[index].backward(
                gradient.prefix(batch.rowCount(needed)), input: states[index].prefix(batch.tokenCount), batch,
                needed, into: next.prefix(batch.tokenCount))
            swap(&gradient, &next)
        }
        return gradient.prefix(batch.tokenCount)
    }

    /// All layers but the last compute every row: the next one's keys and values need them.
    private func rowsRead(by index: Int, _ reads: RowsRead) -> RowsRead {
        index == layers.count - 1 ? reads : .allTokens
    }
}
