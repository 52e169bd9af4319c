import Kernels

/// Memory for the backward of the stochastic answer network.
struct AnswerGradients {
    let scores: Matrix  // [t·n, classes]
    let features: Matrix  // [n, 4·hidden]
    let state: Matrix  // [n, hidden]
    let attended: Matrix  // [n, hidden]
    let dropped: Matrix  // [n, hidden]
    let queries: Matrix  // [t·n, hidden]
    let summary: Matrix  // [n, hidden]
    let summaryBias: Matrix  // [n, 1]
    let weights: UnsafeMutablePointer<Float>  // [longest]
    let row: UnsafeMutablePointer<Float>  // [hidden]
    let pair: ScorePair  // of classes

    init(hiddenSize d: Int, classes: Int, turns: Int, capacity: BatchCapacity, _ workspace: Workspace) {
        let n = capacity.sequences
        scores = workspace.matrix(rows: turns * n, columns: classes)
        features = workspace.matrix(rows: n, columns: 4 * d)
        state = workspace.matrix(rows: n, columns: d)
        attended = workspace.matrix(rows: n, columns: d)
        dropped = workspace.matrix(rows: n, columns: d)
        queries = workspace.matrix(rows: turns * n, columns: d)
        summary = workspace.matrix(rows: n, columns: d)
        summaryBias = workspace.matrix(rows: n, columns: 1)
        weights = workspace.array(Float.self, capacity.longest)
        row = workspace.array(Float.self, d)
        pair = ScorePair(capacity: classes, in: workspace)
    }
}

/// Forward read upwards.
extension StochasticAnswerNetwork {
    func backward(_ batch: PackedBatch, input x: Matrix, into dx: Matrix) {
        let n = batch.sequenceCount
        dx.fill(0)
        if batch.perturbation != nil { gradients.scores.prefix(turnCount * n).fill(0) }
        if batch.isClimbing {
            addClimb(self, batch, gradients.pair)
        } else {
            averageTurnsBackward(batch)
            addDistillation(self, batch, gradients.pair)
            addPerturbation(self, batch, gradients.pair)
        }
        let dstate = gradients.state.prefix(n)
        for k in (0..<turnCount).reversed() {
            let dfeatures = gradients.features.prefix(n)
            let dattended = gradients.attended.prefix(n)
            if k + 1 < turnCount {
                advanceBackward(batch, turn: k)  // takes dstate from sₖ₊₁ to sₖ
            } else {
                dstate.fill(0)
                dattended.fill(0)
            }
            classifier.backwardInput(turn(k, of: gradients.scores, batch), into: dfeatures)
            compareWithStateBackward(batch, turn: k)
            attendBackward(x, batch, turn: k, into: dx)
        }
        summarizeBackward(x, batch, into: dx)
        backwardParameters(batch)
    }

    private func backwardParameters(_ batch: PackedBatch) {
        let n = batch.sequenceCount
        let all = batch.sequenceSlices.repeated(turnCount)
        classifier.backwardParameters(
            all, gradients.scores.prefix(turnCount * n), input: features.prefix(turnCount * n))
        attention.backwardParameters(
            all, gradients.queries.prefix(turnCount * n), input: droppedStates.prefix(turnCount * n))
        let advancing = batch.sequenceSlices.repeated(turnCount - 1)
        let rows = (turnCount - 1) * n
        recurrentInput.backwardParameters(advancing, gates.prefix(rows), input: attended.prefix(rows))
        recurrentHidden.backwardParameters(advancing, hiddenGates.prefix(rows), input: recurrentStates.prefix(rows))
        sumColumns(batch.sequenceSlices, gradients.summary.prefix(n), into: summary.weight.gradient)
        sumColumns(batch.sequenceSlices, gradients.summaryBias.prefix(n), into: summary.bias.gradient)
    }

    /// The loss is -log P[y] with P = Σₖ mₖ·Pₖ / Σₖ mₖ; through each turn's softmax its gradient is
    /// mₖ·Pₖ[y] / Σⱼ mⱼ·Pⱼ[y] · (Pₖ - onehot(y)).
    private func averageTurnsBackward(_ batch: PackedBatch) {
        for unit in 0..<batch.unitCount {
            let sequence = batch.sequences(ofUnit: unit).lowerBound
            let label = Int(batch.labels[unit])
            let weights = masks.turns.row(sequence)
            batch.losses[unit] = -logarithm(Double(scores.row(sequence)[label]))
            var total: Float = 0
            for k in 0..<turnCount { total += weights[k] * turn(k, of: probabilities, batch).row(sequence)[label] }
            for k in 0..<turnCount {
                let p = turn(k, of: probabilities, batch).row(sequence)
                let gradient = turn(k, of: gradients.scores, batch).row(sequence)
                let share = weights[k] * p[label] / total * batch.unitWeight
                for index in 0..<scores.columns { gradient[index] = share * (p[index] - (index == label ? 1 : 0)) }
            }
        }
    }

    private func compareWithStateBackward(_ batch: PackedBatch, turn k: Int) {
        let direct = gradients.row
        for sequence in 0..<batch.sequenceCount {
            let row = k * batch.sequenceCount + sequence
            compareBackward(
                gradients.features.row(sequence), x: attended.row(row), s: states.row(row),
                factors: masks.comparison.row(row), dx: direct, ds: gradients.state.row(sequence), columns: hiddenSize)
            addVector(direct, to: gradients.attended.row(sequence), count: hiddenSize)
        }
    }

    private func attendBackward(_ x: Matrix, _ batch: PackedBatch, turn k: Int, into dx: Matrix) {
        let dqueries = turn(k, of: gradients.queries, batch)
        let weightGradients = gradients.weights
        for sequence in 0..<batch.sequenceCount {
            let words = sentences(batch, sequence).first
            let weights = turnWeights.row(k) + words.lowerBound
            let query = turn(k, of: queries, batch).row(sequence)
            let dattended = gradients.attended.row(sequence)
            for j in 0..<words.count {
                weightGradients[j] = dotProduct(dattended, x.row(words.lowerBound + j), count: hiddenSize)
                addScaled(dattended, weights[j], to: dx.row(words.lowerBound + j), count: hiddenSize)
            }
            softmaxBackward(weightGradients, probabilities: weights, count: words.count)
            for j in 0..<words.count {
                addScaled(query, weightGradients[j], to: dx.row(words.lowerBound + j), count: hiddenSize)
            }
            weightedSum(of: x.rows(words), weights: weightGradients, into: dqueries.row(sequence))
            let factors = turn(k, of: masks.memory, batch).row(sequence)
            elementwiseProduct(dqueries.row(sequence), factors, into: dqueries.row(sequence), count: hiddenSize)
        }
        let ddropped = gradients.dropped.prefix(batch.sequenceCount)
        attention.backwardInput(dqueries, into: ddropped)
        let factors = turn(k, of: masks.state, batch)
        for sequence in 0..<batch.sequenceCount {
            addProduct(
                ddropped.row(sequence), factors.row(sequence), to: gradients.state.row(sequence), count: hiddenSize)
        }
    }

    /// From the gradient of sₖ₊₁ to those of sₖ and xₖ; leaves the gates' gradients in place of the gates.
    private func advanceBackward(_ batch: PackedBatch, turn k: Int) {
        let dstate = gradients.state.prefix(batch.sequenceCount)
        let ddropped = gradients.dropped.prefix(batch.sequenceCount)
        let dgates = turn(k, of: gates, batch)
        let dhiddenGates = turn(k, of: hiddenGates, batch)
        gatedRecurrentUnitBackward(
            dstate, gates: dgates, fromHidden: dhiddenGates, hidden: turn(k, of: recurrentStates, batch),
            dhidden: ddropped)
        recurrentInput.backwardInput(dgates, into: gradients.attended.prefix(batch.sequenceCount))
        recurrentHidden.backwardInput(dhiddenGates, into: ddropped, accumulating: true)
        let factors = turn(k, of: masks.recurrence, batch)
        for sequence in 0..<batch.sequenceCount {
            elementwiseProduct(
                ddropped.row(sequence), factors.row(sequence), into: dstate.row(sequence), count: hiddenSize)
        }
    }

    private func summarizeBackward(_ x: Matrix, _ batch: PackedBatch, into dx: Matrix) {
        let dsum = gradients.row
        for sequence in 0..<batch.sequenceCount {
            let words = sentences(batch, sequence).second
            let mask = masks.summary.row(sequence)
            let weights = summaryWeights + words.lowerBound
            let dscores = gradients.weights
            elementwiseProduct(gradients.state.row(sequence), mask, into: dsum, count: hiddenSize)
            for j in 0..<words.count {
                dscores[j] = dotProduct(dsum, x.row(words.lowerBound + j), count: hiddenSize)
                addScaled(dsum, weights[j], to: dx.row(words.lowerBound + j), count: hiddenSize)
            }
            softmaxBackward(dscores, probabilities: weights, count: words.count)
            let dweight = gradients.summary.row(sequence)
            weightedSum(of: x.rows(words), weights: dscores, into: dweight)
            elementwiseProduct(dweight, mask, into: dweight, count: hiddenSize)
            // dsum is no longer needed: its row holds w ∘ m from here on.
            elementwiseProduct(summary.weight.pointer, mask, into: dsum, count: hiddenSize)
            var total: Float = 0
            for j in 0..<words.count {
                addScaled(dsum, dscores[j], to: dx.row(words.lowerBound + j), count: hiddenSize)
                total += dscores[j]
            }
            gradients.summaryBias.row(sequence)[0] = total
        }
    }
}
