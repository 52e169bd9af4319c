import Kernels

/// The pairwise classification head of MT-DNN, a stochastic answer network (Liu et al. 2018; equations 3 and 4 of the paper).
///
/// A memory of the second sentence is summarised as a state s₀. In each turn k the state attends to the words of the first sentence, xₖ,
/// the two are compared and classified, Pₖ, and a gated recurrent unit takes the state on, sₖ₊₁. The prediction is the mean of all
/// turns' probabilities; in training some turns are left out of it at random, never all.
///
/// Equations, order of features and places of dropout are those of MT-DNN's code. Rows of turns stand one block of sequences after
/// another: row k · sequences + i is turn k of sequence i.
final class StochasticAnswerNetwork: TaskHead {
    let reads = RowsRead.allTokens
    let readsPooler = false
    let turnCount: Int
    let hiddenSize: Int

    let summary: Linear  // [1, hidden]
    let attention: Linear  // [hidden, hidden]
    let classifier: Linear  // [classes, 4·hidden]
    let recurrentInput, recurrentHidden: Linear  // [3·hidden, hidden]
    let masks: AnswerMasks

    // Kept by forward for backward. `n` is the number of sequences, `t` that of turns.
    let summaryWeights: UnsafeMutablePointer<Float>  // [tokens], those of second sentences
    let turnWeights: Matrix  // [t, tokens], those of first sentences
    let states: Matrix  // [t·n, hidden]
    let droppedStates: Matrix  // [t·n, hidden]
    let queries: Matrix  // [t·n, hidden], times the memory's factors
    let attended: Matrix  // [t·n, hidden]
    let features: Matrix  // [t·n, 4·hidden]
    let probabilities: Matrix  // [t·n, classes]
    let recurrentStates: Matrix  // [t·n, hidden]
    let gates, hiddenGates: Matrix  // [t·n, 3·hidden]
    let scores: Matrix  // [n, classes]
    let gradients: AnswerGradients

    init(
        _ name: String, hiddenSize d: Int, classes: Int, turns t: Int, dropout: Float, predictionDropout: Float,
        capacity: BatchCapacity, in parameters: Parameters, _ workspace: Workspace
    ) {
        turnCount = t
        hiddenSize = d
        summary = Linear("\(name).summary", inputs: d, outputs: 1, in: parameters)
        attention = Linear("\(name).attention", inputs: d, outputs: d, in: parameters)
        classifier = Linear("\(name).classifier", inputs: 4 * d, outputs: classes, in: parameters)
        recurrentInput = Linear(
            weight: parameters.add("\(name).recurrent.weight_ih", 3 * d, d),
            bias: parameters.add("\(name).recurrent.bias_ih", 3 * d))
        recurrentHidden = Linear(
            weight: parameters.add("\(name).recurrent.weight_hh", 3 * d, d),
            bias: parameters.add("\(name).recurrent.bias_hh", 3 * d))
        masks = AnswerMasks(
            hiddenSize: d, turns: t, dropout: dropout, predictionDropout: predictionDropout, capacity: capacity,
            workspace)
        let rows = t * capacity.sequences
        reserveOuterProducts(rows: rows)
        summaryWeights = workspace.array(Float.self, capacity.tokens)
        turnWeights = workspace.matrix(rows: t, columns: capacity.tokens)
        states = workspace.matrix(rows: rows, columns: d)
        droppedStates = workspace.matrix(rows: rows, columns: d)
        queries = workspace.matrix(rows: rows, columns: d)
        attended = workspace.matrix(rows: rows, columns: d)
        features = workspace.matrix(rows: rows, columns: 4 * d)
        probabilities = workspace.matrix(rows: rows, columns: classes)
        recurrentStates = workspace.matrix(rows: rows, columns: d)
        gates = workspace.matrix(rows: rows, columns: 3 * d)
        hiddenGates = workspace.matrix(rows: rows, columns: 3 * d)
        scores = workspace.matrix(rows: capacity.sequences, columns: classes)
        gradients = AnswerGradients(hiddenSize: d, classes: classes, turns: t, capacity: capacity, workspace)
    }

    /// The mean of the turns' probabilities [sequences, classes].
    func forward(_ x: Matrix, _ batch: PackedBatch) -> Matrix {
        masks.draw(batch)
        return answer(x, batch)
    }

    /// `forward` with the factors that `masks` already holds.
    func answer(_ x: Matrix, _ batch: PackedBatch) -> Matrix {
        summarize(x, batch, into: turn(0, of: states, batch))
        for k in 0..<turnCount {
            attend(x, batch, turn: k)
            compareWithState(batch, turn: k)
            let logits = turn(k, of: probabilities, batch)
            classifier.forward(turn(k, of: features, batch), into: logits)
            for row in 0..<logits.rows { softmax(logits.row(row), count: logits.columns) }
            if k + 1 < turnCount { advance(batch, turn: k) }
        }
        return averageTurns(batch)
    }

    /// The rows of turn `k`.
    func turn(_ k: Int, of matrix: Matrix, _ batch: PackedBatch) -> Matrix {
        matrix.rows((k * batch.sequenceCount)..<((k + 1) * batch.sequenceCount))
    }

    /// The words of both sentences: segment 0 with [CLS] and the first [SEP], and the rest.
    func sentences(_ batch: PackedBatch, _ sequence: Int) -> (first: Range<Int>, second: Range<Int>) {
        let tokens = batch.tokens(of: sequence)
        var boundary = tokens.lowerBound
        while boundary < tokens.upperBound, batch.segments[boundary] == 0 { boundary += 1 }
        return (tokens.lowerBound..<boundary, boundary..<tokens.upperBound)
    }

    /// s₀ = m ∘ Σⱼ βⱼ·hⱼ with β = softmax(w·(m ∘ hⱼ) + b) over the words of the second sentence.
    private func summarize(_ x: Matrix, _ batch: PackedBatch, into state: Matrix) {
        for sequence in 0..<batch.sequenceCount {
            let words = sentences(batch, sequence).second
            let mask = masks.summary.row(sequence)
            let direction = gradients.row
            elementwiseProduct(summary.weight.pointer, mask, into: direction, count: hiddenSize)
            let weights = summaryWeights + words.lowerBound
            for j in 0..<words.count {
                weights[j] =
                    dotProduct(x.row(words.lowerBound + j), direction, count: hiddenSize) + summary.bias.pointer[0]
            }
            softmax(weights, count: words.count)
            weightedSum(of: x.rows(words), weights: weights, into: state.row(sequence))
            elementwiseProduct(state.row(sequence), mask, into: state.row(sequence), count: hiddenSize)
        }
    }

    /// xₖ = Σⱼ αⱼ·xⱼ with α = softmax((m ∘ xⱼ)·(W·(m′ ∘ sₖ) + b)) over the words of the first sentence.
    private func attend(_ x: Matrix, _ batch: PackedBatch, turn k: Int) {
        let state = turn(k, of: states, batch)
        let dropped = turn(k, of: droppedStates, batch)
        let query = turn(k, of: queries, batch)
        let factors = turn(k, of: masks.state, batch)
        for row in 0..<state.rows {
            elementwiseProduct(state.row(row), factors.row(row), into: dropped.row(row), count: hiddenSize)
        }
        attention.forward(dropped, into: query)
        for sequence in 0..<batch.sequenceCount {
            let words = sentences(batch, sequence).first
            let q = query.row(sequence)
            elementwiseProduct(q, turn(k, of: masks.memory, batch).row(sequence), into: q, count: hiddenSize)
            let weights = turnWeights.row(k) + words.lowerBound
            for j in 0..<words.count { weights[j] = dotProduct(x.row(words.lowerBound + j), q, count: hiddenSize) }
            softmax(weights, count: words.count)
            weightedSum(of: x.rows(words), weights: weights, into: turn(k, of: attended, batch).row(sequence))
        }
    }

    /// features = m ∘ [xₖ ; sₖ ; |xₖ - sₖ| ; xₖ ∘ sₖ]
    private func compareWithState(_ batch: PackedBatch, turn k: Int) {
        for sequence in 0..<batch.sequenceCount {
            let row = k * batch.sequenceCount + sequence
            compare(
                attended.row(row), states.row(row), factors: masks.comparison.row(row), into: features.row(row),
                columns: hiddenSize)
        }
    }

    /// sₖ₊₁ = GRU(xₖ, m ∘ sₖ)
    private func advance(_ batch: PackedBatch, turn k: Int) {
        let state = turn(k, of: states, batch)
        let dropped = turn(k, of: recurrentStates, batch)
        let factors = turn(k, of: masks.recurrence, batch)
        for row in 0..<state.rows {
            elementwiseProduct(state.row(row), factors.row(row), into: dropped.row(row), count: hiddenSize)
        }
        let fromInput = turn(k, of: gates, batch)
        let fromHidden = turn(k, of: hiddenGates, batch)
        recurrentInput.forward(turn(k, of: attended, batch), into: fromInput)
        recurrentHidden.forward(dropped, into: fromHidden)
        gatedRecurrentUnit(
            fromInput: fromInput, fromHidden: fromHidden, hidden: dropped, into: turn(k + 1, of: states, batch))
    }

    /// P = Σₖ mₖ·Pₖ / Σₖ mₖ
    private func averageTurns(_ batch: PackedBatch) -> Matrix {
        let mean = scores.prefix(batch.sequenceCount)
        for sequence in 0..<batch.sequenceCount {
            let weights = masks.turns.row(sequence)
            var total: Float = 0
            mean.row(sequence).update(repeating: 0, count: mean.columns)
            for k in 0..<turnCount {
                total += weights[k]
                addScaled(
                    turn(k, of: probabilities, batch).row(sequence), weights[k], to: mean.row(sequence),
                    count: mean.columns)
            }
            for column in 0..<mean.columns { mean.row(sequence)[column] /= total }
        }
        return mean
    }
}
