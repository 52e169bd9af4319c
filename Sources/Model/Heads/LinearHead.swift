import Kernels

/// scores = W·dropout(x) + b, x being the pooled first token for classification, similarity and ranking, and every token where tokens are labelled
/// or spans are looked for.
final class LinearHead: TaskHead {
    let reads: RowsRead
    var readsPooler: Bool { reads == .firstTokens }
    private let classifier: Linear
    private let objective: Objective
    private let dropout: Dropout
    private let dropped: Matrix  // [rows, hidden]
    private let scores, dscores: Matrix  // [rows, outputs]
    private let column: Matrix  // [1, longest sequence], or empty
    private let pair: ScorePair

    init(
        _ name: String, hiddenSize: Int, outputs: Int, objective: Objective, dropout: Float, capacity: BatchCapacity,
        in parameters: Parameters, _ workspace: Workspace
    ) {
        // Hugging Face's names.
        let layer = objective == .spanCrossEntropy ? "qa_outputs" : "classifier"
        classifier = Linear("\(name).\(layer)", inputs: hiddenSize, outputs: outputs, in: parameters)
        self.objective = objective
        reads = objective.readsAllTokens ? .allTokens : .firstTokens
        self.dropout = Dropout(
            probability: dropout, site: objective.readsAllTokens ? DropoutSite.labelledTokens : DropoutSite.pooled)
        let rows = objective.readsAllTokens ? capacity.tokens : capacity.sequences
        dropped = workspace.matrix(rows: rows, columns: hiddenSize)
        scores = workspace.matrix(rows: rows, columns: outputs)
        dscores = workspace.matrix(rows: rows, columns: outputs)
        column = workspace.matrix(rows: 1, columns: objective == .spanCrossEntropy ? capacity.longest : 0)
        pair = ScorePair(capacity: objective == .ranking ? capacity.sequences : outputs, in: workspace)
    }

    func forward(_ x: Matrix, _ batch: PackedBatch) -> Matrix {
        var input = x
        if let drop = batch.rowDropout(dropout, reads) {
            input = dropped.prefix(x.rows)
            drop.apply(x, into: input)
        }
        let y = scores.prefix(x.rows)
        classifier.forward(input, into: y)
        return y
    }

    func backward(_ batch: PackedBatch, input x: Matrix, into dx: Matrix) {
        let drop = batch.rowDropout(dropout, reads)
        let dy = dscores.prefix(x.rows)
        if batch.perturbation != nil { dy.fill(0) }
        if batch.isClimbing {
            addClimb(self, batch, pair)
        } else {
            computeLosses(objective, scores: scores.prefix(x.rows), batch: batch, column: column, into: dy)
            addDistillation(self, batch, pair)
            addPerturbation(self, batch, pair)
        }
        classifier.backwardParameters(batch.slices(reads), dy, input: drop == nil ? x : dropped.prefix(x.rows))
        classifier.backwardInput(dy, into: dx)
        drop?.apply(to: dx)
    }
}

extension LinearHead: ComparableScores {
    var outputCount: Int { scores.columns }

    func copyScores(of sequences: Range<Int>, _ batch: PackedBatch, to copy: UnsafeMutablePointer<Double>) {
        // Rows lie one behind the other.
        let first = scores.row(sequences.lowerBound)
        for index in 0..<(sequences.count * scores.columns) { copy[index] = Double(first[index]) }
    }

    func addGradient(
        _ gradient: UnsafePointer<Double>, times factor: Double, of sequences: Range<Int>, _ batch: PackedBatch
    ) {
        let first = dscores.row(sequences.lowerBound)
        for index in 0..<(sequences.count * scores.columns) { first[index] += Float(factor * gradient[index]) }
    }
}
