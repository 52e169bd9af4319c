import Kernels

/// scores = W·dropout(token) + b for every token; those with a class are trained for it by cross-entropy, each counting the same.
final class LabellingHead: TaskHead {
    let reads = RowsRead.allTokens
    let readsPooler = false
    private let classifier: Linear
    private let dropout: Dropout
    private let dropped: Matrix  // [tokens, hidden]
    private let scores, dscores: Matrix  // [tokens, classes]

    init(
        _ name: String, hiddenSize: Int, classes: Int, dropout: Float, capacity: BatchCapacity,
        in parameters: Parameters, _ workspace: Workspace
    ) {
        classifier = Linear("\(name).classifier", inputs: hiddenSize, outputs: classes, in: parameters)
        self.dropout = Dropout(probability: dropout, site: DropoutSite.labelledTokens)
        dropped = workspace.matrix(rows: capacity.tokens, columns: hiddenSize)
        scores = workspace.matrix(rows: capacity.tokens, columns: classes)
        dscores = workspace.matrix(rows: capacity.tokens, columns: classes)
    }

    func forward(_ x: Matrix, _ batch: PackedBatch) -> Matrix {
        var input = x
        if let drop = batch.rowDropout(dropout, .allTokens) {
            input = dropped.prefix(x.rows)
            drop.apply(x, into: input)
        }
        let y = scores.prefix(x.rows)
        classifier.forward(input, into: y)
        return y
    }

    func backward(_ batch: PackedBatch, input x: Matrix, into dx: Matrix) {
        let drop = batch.rowDropout(dropout, .allTokens)
        let dy = dscores.prefix(x.rows)
        computeTokenLosses(scores: scores.prefix(x.rows), batch: batch, into: dy)
        classifier.backwardParameters(batch.tokenSlices, dy, input: drop == nil ? x : dropped.prefix(x.rows))
        classifier.backwardInput(dy, into: dx)
        drop?.apply(to: dx)
    }
}
