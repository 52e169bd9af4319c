import Kernels

/// BERT's head for pre-training: which word pieces stood where masked tokens stand, and whether the second text follows the first.
///
/// A masked token's row x gives scores = LayerNorm(GELU(W·x + b))·Eᵀ + c for all word pieces, E being the word embeddings themselves. The pooled first
/// token gives two scores, "follows" and "does not". A unit's loss is that of its second text plus those of its masked tokens, weighed
/// so that the loss of a batch is the mean over its texts plus the mean over its masked tokens.
final class PretrainingHead: TaskHead {
    let reads = RowsRead.maskedTokens
    // It reads other rows besides, so it asks the pooler itself.
    let readsPooler = false
    let changesPooler = true

    private let dense: Linear  // [hidden, hidden]
    private let normalization: Normalization
    private let bias: Parameter  // [vocabulary]
    private let next: Linear  // [2, hidden]
    private let word: Parameter  // [vocabulary, hidden]
    private let pooler: Pooler
    private let epsilon: Float

    // Rows of masked tokens; those that backward needs are kept.
    private let inputs: Matrix  // [masked, hidden]
    private let derivative: Matrix  // [masked, hidden]: W·x + b, then GELU's derivative there
    private let normalized: Matrix  // [masked, hidden]
    private let transformed: Matrix  // [masked, hidden]
    private let gradients: Matrix  // [masked, hidden]
    private let inverseDeviations: UnsafeMutablePointer<Float>  // [masked]
    private let scores: Matrix  // [trained masked, vocabulary]
    private let losses: UnsafeMutablePointer<Double>  // [masked]
    private let areRight: UnsafeMutablePointer<Bool>  // [masked]
    // Rows of sequences.
    private let firstTokens, dfirstTokens: Matrix  // [sequences, hidden]
    private let nextScores: Matrix  // [sequences, 2]
    private let summaries: Matrix  // [sequences, 4]
    private(set) var decoderGradient: TiedDecoderGradient?

    /// Rows whose scores an evaluation has at once, where nothing is trained.
    private static let leastScoredRows = 16

    init(
        _ name: String, on encoder: Encoder, _ pooler: Pooler, capacity: BatchCapacity, in parameters: Parameters,
        _ workspace: Workspace
    ) {
        let hidden = encoder.sizes.hiddenSize, vocabulary = encoder.sizes.vocabularySize
        dense = Linear("\(name).predictions.transform.dense", inputs: hidden, outputs: hidden, in: parameters)
        normalization = Normalization("\(name).predictions.transform.LayerNorm", size: hidden, in: parameters)
        bias = parameters.add("\(name).predictions.bias", vocabulary)
        next = Linear("\(name).seq_relationship", inputs: hidden, outputs: 2, in: parameters)
        word = encoder.wordEmbeddings
        epsilon = encoder.sizes.epsilon
        self.pooler = pooler
        let masked = capacity.maskedTokens
        inputs = workspace.matrix(rows: masked, columns: hidden)
        derivative = workspace.matrix(rows: masked, columns: hidden)
        normalized = workspace.matrix(rows: masked, columns: hidden)
        transformed = workspace.matrix(rows: masked, columns: hidden)
        gradients = workspace.matrix(rows: masked, columns: hidden)
        inverseDeviations = workspace.array(Float.self, masked)
        scores = workspace.matrix(
            rows: max(capacity.trainedMaskedTokens, min(masked, PretrainingHead.leastScoredRows)), columns: vocabulary)
        losses = workspace.array(Double.self, masked)
        areRight = workspace.array(Bool.self, masked)
        firstTokens = workspace.matrix(rows: capacity.sequences, columns: hidden)
        dfirstTokens = workspace.matrix(rows: capacity.sequences, columns: hidden)
        nextScores = workspace.matrix(rows: capacity.sequences, columns: 2)
        summaries = workspace.matrix(rows: capacity.sequences, columns: 4)
    }

    /// In training the scores of word pieces for each masked token [masked, vocabulary]; in evaluation what they come to for each sequence
    /// [sequences, 4]: the sum of its masked tokens' losses, how many they are, how many have their highest score for the right piece, and 1 or 0 for whether
    /// the second text's higher score is the right one.
    func forward(_ x: Matrix, _ batch: PackedBatch) -> Matrix {
        let rows = batch.maskedCount
        gather(x, batch)
        dense.forwardWithoutBias(inputs.prefix(rows), into: derivative.prefix(rows))
        biasGELU(
            derivative.prefix(rows), bias: dense.bias.pointer, into: normalized.prefix(rows),
            keepingDerivative: batch.random != nil)
        residualLayerNormalization(
            normalized.prefix(rows), bias: nil, residual: nil, dropout: nil, scale: normalization.weight.pointer,
            shift: normalization.bias.pointer, epsilon: epsilon, into: transformed.prefix(rows),
            inverseDeviations: inverseDeviations)
        let pooled = pooler.forward(firstTokens.prefix(batch.sequenceCount), batch)
        next.forward(pooled, into: nextScores.prefix(batch.sequenceCount))
        guard batch.random != nil else { return judge(batch) }
        decode(0..<rows, into: scores.prefix(rows))
        return scores.prefix(rows)
    }

    func backward(_ batch: PackedBatch, input x: Matrix, into dx: Matrix) {
        let rows = batch.maskedCount
        let dscores = scores.prefix(rows)
        let gradient = gradients.prefix(rows)
        softmaxCrossEntropy(
            dscores, targets: batch.maskedTargets, weight: Float(Double(batch.unitWeight) * batch.maskedShare),
            losses: losses)
        let dnext = nextScores.prefix(batch.sequenceCount)
        computeLosses(.crossEntropy, scores: dnext, batch: batch, into: dnext)
        for unit in 0..<batch.unitCount {
            for row in batch.maskedTokens(of: unit) { batch.losses[unit] += losses[row] * batch.maskedShare }
        }

        sumColumns(batch.maskedSlices, dscores, into: bias.gradient)
        multiply(dscores, word.value, into: gradient)
        decoderGradient = TiedDecoderGradient(
            slices: batch.maskedSlices, dscores: dscores, x: transformed.prefix(rows))
        normalization.backwardParameters(batch.maskedSlices, gradient, normalized: normalized.prefix(rows))
        residualLayerNormalizationBackward(
            gradient, normalized: normalized.prefix(rows), inverseDeviations: inverseDeviations,
            scale: normalization.weight.pointer, dropout: nil, dresidual: gradient, dx: gradient)
        multiplyElements(gradient, by: derivative.prefix(rows))
        dense.backwardParameters(batch.maskedSlices, gradient, input: inputs.prefix(rows))
        // The inputs are no longer needed: their rows hold their gradient from here on.
        dense.backwardInput(gradient, into: inputs.prefix(rows))

        let dpooled = pooler.outputGradient(batch)
        next.backwardParameters(batch.sequenceSlices, dnext, input: pooler.output(batch))
        next.backwardInput(dnext, into: dpooled)
        pooler.backward(
            batch, input: firstTokens.prefix(batch.sequenceCount), into: dfirstTokens.prefix(batch.sequenceCount))
        scatter(into: dx, batch)
    }

    /// Sets the first tokens' rows apart from those of masked tokens.
    private func gather(_ x: Matrix, _ batch: PackedBatch) {
        for sequence in 0..<batch.sequenceCount {
            let rows = batch.rows(of: sequence, reads)
            firstTokens.row(sequence).update(from: x.row(rows.lowerBound), count: x.columns)
            for (row, masked) in zip(rows.dropFirst(), batch.maskedTokens(of: sequence)) {
                inputs.row(masked).update(from: x.row(row), count: x.columns)
            }
        }
    }

    /// Puts the gradients of first tokens and of masked tokens where `gather` took their rows from.
    private func scatter(into dx: Matrix, _ batch: PackedBatch) {
        for sequence in 0..<batch.sequenceCount {
            let rows = batch.rows(of: sequence, reads)
            dx.row(rows.lowerBound).update(from: dfirstTokens.row(sequence), count: dx.columns)
            for (row, masked) in zip(rows.dropFirst(), batch.maskedTokens(of: sequence)) {
                dx.row(row).update(from: inputs.row(masked), count: dx.columns)
            }
        }
    }

    /// The scores of all word pieces for some masked tokens.
    private func decode(_ rows: Range<Int>, into scores: Matrix) {
        multiply(transformed.rows(rows), word.value, transposed: (false, true), into: scores)
        addBias(scores, bias.pointer)
    }

    /// Runs of masked tokens by turns, so that an evaluation needs no more memory than training.
    private func judge(_ batch: PackedBatch) -> Matrix {
        for first in stride(from: 0, to: batch.maskedCount, by: max(1, scores.rows)) {
            let rows = first..<min(first + scores.rows, batch.maskedCount)
            decode(rows, into: scores.prefix(rows.count))
            judgeCrossEntropy(
                scores.prefix(rows.count), targets: batch.maskedTargets + first, losses: losses + first,
                areLargest: areRight + first)
        }
        for sequence in 0..<batch.sequenceCount {
            let masked = batch.maskedTokens(of: sequence)
            let summary = summaries.row(sequence)
            let pair = nextScores.row(sequence)
            let isOther = batch.labels[sequence] == 1
            let margin = isOther ? pair[1] - pair[0] : pair[0] - pair[1]
            summary[0] = Float(masked.reduce(0) { $0 + losses[$1] })
            summary[1] = Float(masked.count)
            summary[2] = Float(masked.count { areRight[$0] })
            summary[3] = margin > 0 || margin == 0 && !isOther ? 1 : 0
        }
        return summaries.prefix(batch.sequenceCount)
    }
}
