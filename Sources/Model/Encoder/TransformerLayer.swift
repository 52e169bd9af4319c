import Kernels

/// One layer of the encoder: a = LayerNorm(x + dropout(W·attention(x))), y = LayerNorm(a + dropout(W₂·GELU(W₁·a))).
final class TransformerLayer {
    private let attention: SelfAttention
    private let attentionOutput: Linear
    private let attentionNormalization: Normalization
    private let intermediate: Linear
    private let output: Linear
    private let outputNormalization: Normalization
    private let attentionDropout, outputDropout: Dropout
    private let epsilon: Float

    private let kept: Kept
    private let scratch: Scratch

    /// What forward keeps for backward, of as many rows as are read. Layers share it where each one's forward is computed again.
    struct Kept {
        let attention: SelfAttention.Kept
        let context: Matrix  // [rows, hidden]
        let attentionNormalized: Matrix  // [rows, hidden]
        let attended: Matrix  // [rows, hidden]
        let derivative: Matrix  // [rows, intermediate]: W₁·a + b, then GELU's derivative there
        let activated: Matrix  // [rows, intermediate]
        let outputNormalized: Matrix  // [rows, hidden]
        let attentionDeviations, outputDeviations: UnsafeMutablePointer<Float>

        init(_ sizes: EncoderSizes, _ capacity: BatchCapacity, _ workspace: Workspace) {
            func matrix(_ columns: Int) -> Matrix { workspace.matrix(rows: capacity.tokens, columns: columns) }
            attention = SelfAttention.Kept(sizes, capacity, workspace)
            context = matrix(sizes.hiddenSize)
            attentionNormalized = matrix(sizes.hiddenSize)
            attended = matrix(sizes.hiddenSize)
            derivative = matrix(sizes.intermediateSize)
            activated = matrix(sizes.intermediateSize)
            outputNormalized = matrix(sizes.hiddenSize)
            attentionDeviations = workspace.array(Float.self, capacity.tokens)
            outputDeviations = workspace.array(Float.self, capacity.tokens)
        }
    }

    /// Memory that all layers share, since each needs it for a moment only.
    struct Scratch {
        let attention: SelfAttention.Scratch
        let dsum: Matrix  // [tokens, hidden]
        let ddense: Matrix  // [tokens, hidden]
        let dactivated: Matrix  // [tokens, intermediate]
        let chosenResidual: Matrix  // [rows, hidden]

        init(_ sizes: EncoderSizes, _ capacity: BatchCapacity, _ workspace: Workspace) {
            attention = SelfAttention.Scratch(sizes, capacity, workspace)
            dsum = workspace.matrix(rows: capacity.tokens, columns: sizes.hiddenSize)
            ddense = workspace.matrix(rows: capacity.tokens, columns: sizes.hiddenSize)
            dactivated = workspace.matrix(rows: capacity.tokens, columns: sizes.intermediateSize)
            chosenResidual = workspace.matrix(rows: capacity.chosenRows, columns: sizes.hiddenSize)
        }
    }

    init(
        layer: Int, _ sizes: EncoderSizes, dropout: Float, attentionDropout attentionProbability: Float,
        kept: Kept, scratch: Scratch, in parameters: Parameters
    ) {
        let name = "encoder.layer.\(layer)"
        let hidden = sizes.hiddenSize
        attention = SelfAttention(
            "\(name).attention.self", layer: layer, sizes, dropout: attentionProbability, kept: kept.attention,
            scratch: scratch.attention, in: parameters)
        attentionOutput = Linear("\(name).attention.output.dense", inputs: hidden, outputs: hidden, in: parameters)
        attentionNormalization = Normalization("\(name).attention.output.LayerNorm", size: hidden, in: parameters)
        intermediate = Linear(
            "\(name).intermediate.dense", inputs: hidden, outputs: sizes.intermediateSize, in: parameters)
        output = Linear("\(name).output.dense", inputs: sizes.intermediateSize, outputs: hidden, in: parameters)
        outputNormalization = Normalization("\(name).output.LayerNorm", size: hidden, in: parameters)
        attentionDropout = Dropout(probability: dropout, site: DropoutSite.attentionOutput(layer))
        outputDropout = Dropout(probability: dropout, site: DropoutSite.feedForwardOutput(layer))
        epsilon = sizes.epsilon
        self.kept = kept
        self.scratch = scratch
    }

    /// y = the layer's output for the rows that are read [rows, hidden], from all rows of x [tokens, hidden].
    func forward(_ x: Matrix, _ batch: PackedBatch, _ reads: RowsRead, into y: Matrix) {
        let rows = batch.rowCount(reads)
        let context = kept.context.prefix(rows)
        let attended = kept.attended.prefix(rows)
        let derivative = kept.derivative.prefix(rows)
        let activated = kept.activated.prefix(rows)
        var residual = x
        if reads != .allTokens {
            residual = scratch.chosenResidual.prefix(rows)
            batch.gather(reads, of: x, into: residual)
        }

        attention.forward(x, batch, reads, into: context)
        let attentionSum = kept.attentionNormalized.prefix(rows)
        attentionOutput.forwardWithoutBias(context, into: attentionSum)
        residualLayerNormalization(
            attentionSum, bias: attentionOutput.bias.pointer, residual: residual,
            dropout: batch.rowDropout(attentionDropout, reads), scale: attentionNormalization.weight.pointer,
            shift: attentionNormalization.bias.pointer, epsilon: epsilon, into: attended,
            inverseDeviations: kept.attentionDeviations)

        intermediate.forwardWithoutBias(attended, into: derivative)
        biasGELU(
            derivative, bias: intermediate.bias.pointer, into: activated, keepingDerivative: batch.random != nil)
        let outputSum = kept.outputNormalized.prefix(rows)
        output.forwardWithoutBias(activated, into: outputSum)
        residualLayerNormalization(
            outputSum, bias: output.bias.pointer, residual: attended, dropout: batch.rowDropout(outputDropout, reads),
            scale: outputNormalization.weight.pointer, shift: outputNormalization.bias.pointer, epsilon: epsilon,
            into: y, inverseDeviations: kept.outputDeviations)
    }

    /// dx = the gradient of all rows of x; dy is that of the rows that were read, and is not the same memory.
    func backward(_ dy: Matrix, input x: Matrix, _ batch: PackedBatch, _ reads: RowsRead, into dx: Matrix) {
        let rows = batch.rowCount(reads)
        let slices = batch.slices(reads)
        let activated = kept.activated.prefix(rows)
        let attended = kept.attended.prefix(rows)
        let dsum = scratch.dsum.prefix(rows)
        let ddense = scratch.ddense.prefix(rows)
        let dactivated = scratch.dactivated.prefix(rows)

        let outputHat = kept.outputNormalized.prefix(rows)
        outputNormalization.backwardParameters(slices, dy, normalized: outputHat)
        residualLayerNormalizationBackward(
            dy, normalized: outputHat, inverseDeviations: kept.outputDeviations,
            scale: outputNormalization.weight.pointer, dropout: batch.rowDropout(outputDropout, reads), dresidual: dsum,
            dx: ddense)
        output.backwardParameters(slices, ddense, input: activated)
        output.backwardInput(ddense, into: dactivated)
        multiplyElements(dactivated, by: kept.derivative.prefix(rows))
        intermediate.backwardParameters(slices, dactivated, input: attended)
        intermediate.backwardInput(dactivated, into: dsum, accumulating: true)

        let attentionHat = kept.attentionNormalized.prefix(rows)
        let dattended = dsum
        let dresidual = dy
        attentionNormalization.backwardParameters(slices, dattended, normalized: attentionHat)
        residualLayerNormalizationBackward(
            dattended, normalized: attentionHat, inverseDeviations: kept.attentionDeviations,
            scale: attentionNormalization.weight.pointer, dropout: batch.rowDropout(attentionDropout, reads),
            dresidual: dresidual, dx: ddense)
        attentionOutput.backwardParameters(slices, ddense, input: kept.context.prefix(rows))
        let dcontext = dsum
        attentionOutput.backwardInput(ddense, into: dcontext)
        attention.backward(dcontext, input: x, batch, reads, into: dx)
        switch reads {
        case .allTokens: dx.add(dresidual)
        case .firstTokens, .maskedTokens: batch.add(dresidual, reads, to: dx)
        }
    }
}
