import Kernels

/// BERT's pooler: y = tanh(W·x + b) on first tokens. Its own parameter group, since not every task reads it.
final class Pooler {
    private let dense: Linear
    private let pooled: Matrix  // [sequences, hidden]
    private let dpooled: Matrix  // [sequences, hidden]

    init(hiddenSize: Int, capacity: BatchCapacity, in parameters: Parameters, _ workspace: Workspace) {
        parameters.beginGroup(.pooler)
        dense = Linear("pooler.dense", inputs: hiddenSize, outputs: hiddenSize, in: parameters)
        pooled = workspace.matrix(rows: capacity.sequences, columns: hiddenSize)
        dpooled = workspace.matrix(rows: capacity.sequences, columns: hiddenSize)
    }

    func forward(_ x: Matrix, _ batch: PackedBatch) -> Matrix {
        let y = pooled.prefix(x.rows)
        dense.forwardWithoutBias(x, into: y)
        biasTanh(y, bias: dense.bias.pointer)
        return y
    }

    /// What `forward` computed last [sequences, hidden].
    func output(_ batch: PackedBatch) -> Matrix { pooled.prefix(batch.sequenceCount) }

    /// Where heads write the gradient of the pooled rows.
    func outputGradient(_ batch: PackedBatch) -> Matrix { dpooled.prefix(batch.sequenceCount) }

    func backward(_ batch: PackedBatch, input x: Matrix, into dx: Matrix) {
        let dy = outputGradient(batch)
        tanhBackward(dy, output: pooled.prefix(x.rows))
        dense.backwardParameters(batch.sequenceSlices, dy, input: x)
        dense.backwardInput(dy, into: dx)
    }
}
