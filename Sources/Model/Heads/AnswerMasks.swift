import Kernels

/// The dropout factors of one pass through the stochastic answer network.
///
/// Dropout is variational, as in MT-DNN: one row of factors for each sequence, shared by all of its words. Rows of turns stand one block
/// of sequences after another.
struct AnswerMasks {
    let summary: Matrix  // [sequences, hidden]
    let memory: Matrix  // [turns · sequences, hidden]
    let state: Matrix  // [turns · sequences, hidden]
    let comparison: Matrix  // [turns · sequences, 4·hidden]
    let recurrence: Matrix  // [turns · sequences, hidden]
    /// Weight of each turn's prediction [sequences, turns].
    let turns: Matrix

    private let dropouts: [[Dropout]]
    private let summaryDropout: Dropout
    private let turnDropout: Dropout

    init(
        hiddenSize: Int, turns count: Int, dropout: Float, predictionDropout: Float, capacity: BatchCapacity,
        _ workspace: Workspace
    ) {
        let rows = capacity.sequences
        summary = workspace.matrix(rows: rows, columns: hiddenSize)
        memory = workspace.matrix(rows: rows * count, columns: hiddenSize)
        state = workspace.matrix(rows: rows * count, columns: hiddenSize)
        comparison = workspace.matrix(rows: rows * count, columns: 4 * hiddenSize)
        recurrence = workspace.matrix(rows: rows * count, columns: hiddenSize)
        turns = workspace.matrix(rows: rows, columns: count)
        summaryDropout = Dropout(probability: dropout, site: DropoutSite.summary)
        dropouts = (0..<count).map { turn in
            (0..<4).map { Dropout(probability: dropout, site: DropoutSite.answer($0, turn: turn)) }
        }
        turnDropout = Dropout(probability: predictionDropout, site: DropoutSite.predictionTurns)
    }

    private func fillWithOnes() {
        summary.fill(1)
        memory.fill(1)
        state.fill(1)
        comparison.fill(1)
        recurrence.fill(1)
        turns.fill(1)
    }

    /// Draws all factors of the batch; in evaluation all are one.
    func draw(_ batch: PackedBatch) {
        guard let random = batch.random else {
            fillWithOnes()
            return
        }
        let rows = batch.sequenceCount
        for sequence in 0..<rows {
            let identity = batch.sequenceIdentities[sequence]
            func write(_ dropout: Dropout, _ mask: Matrix, _ row: Int) {
                dropout.writeFactors(to: mask.row(row), columns: mask.columns, row: identity, random: random)
            }
            write(summaryDropout, summary, sequence)
            for (turn, kinds) in dropouts.enumerated() {
                let row = turn * rows + sequence
                write(kinds[0], memory, row)
                write(kinds[1], state, row)
                write(kinds[2], comparison, row)
                write(kinds[3], recurrence, row)
            }
            write(turnDropout, turns, sequence)
            // One turn is always kept, so that no example is without a prediction.
            let kept = random.uniform(below: dropouts.count, site: DropoutSite.forcedTurn, row: identity)
            turns.row(sequence)[kept] = turnDropout.keptFactor
        }
    }
}
