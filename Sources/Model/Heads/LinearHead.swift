import Kernels

/// scores = W·dropout(pooled first token) + b: classification, similarity and ranking differ only in outputs and objective.
final class LinearHead: TaskHead {
    let reads = RowsRead.firstTokens
    let readsPooler = true
    private let classifier: Linear
    private let objective: Objective
    private let dropout: Dropout
    private let dropped: Matrix  // [sequences, hidden]
    private let scores, dscores: Matrix  // [sequences, outputs]

    init(
        _ name: String, hiddenSize: Int, outputs: Int, objective: Objective, dropout: Float, capacity: BatchCapacity,
        in parameters: Parameters, _ workspace: Workspace
    ) {
        classifier = Linear("\(name).classifier", inputs: hiddenSize, outputs: outputs, in: parameters)
        self.objective = objective
        self.dropout = Dropout(probability: dropout, site: DropoutSite.pooled)
        dropped = workspace.matrix(rows: capacity.sequences, columns: hiddenSize)
        scores = workspace.matrix(rows: capacity.sequences, columns: outputs)
        dscores = workspace.matrix(rows: capacity.sequences, columns: outputs)
    }

    func forward(_ x: Matrix, _ batch: PackedBatch) -> Matrix {
        var input = x
        if let drop = batch.rowDropout(dropout, .firstTokens) {
            input = dropped.prefix(x.rows)
            drop.apply(x, into: input)
        }
        let y = scores.prefix(x.rows)
        classifier.forward(input, into: y)
        return y
    }

    func backward(_ batch: PackedBatch, input x: Matrix, into dx: Matrix) {
        let drop = batch.rowDropout(dropout, .firstTokens)
        let dy = dscores.prefix(x.rows)
        computeLosses(objective, scores: scores.prefix(x.rows), batch: batch, into: dy)
        classifier.backwardParameters(batch.sequenceSlices, dy, input: drop == nil ? x : dropped.prefix(x.rows))
        classifier.backwardInput(dy, into: dx)
        drop?.apply(to: dx)
    }
}
