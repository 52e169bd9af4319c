import Data
import Kernels
import Model

/// What of a text's token vectors stands for the text.
public enum Pooling: String, CaseIterable, Sendable {
    /// The mean of all tokens, [CLS] and [SEP] among them.
    case mean
    /// The first token, [CLS].
    case first
}

extension MultiTaskModel {
    /// A vector of the encoder's output for each sequence of a batch.
    func sentenceVectors(_ batch: PackedBatch, _ pooling: Pooling) -> [[Float]] {
        let output = encoder.forward(batch, pooling == .mean ? .allTokens : .firstTokens)
        return (0..<batch.sequenceCount).map { sequence in
            guard pooling == .mean else { return output.rowValues(sequence) }
            let rows = batch.tokens(of: sequence)
            var mean = [Float](repeating: 0, count: output.columns)
            for row in rows {
                for column in 0..<output.columns { mean[column] += output.row(row)[column] / Float(rows.count) }
            }
            return mean
        }
    }

    /// The encoder's output for each token of each sequence of a batch.
    func tokenVectors(_ batch: PackedBatch) -> [[[Float]]] {
        let output = encoder.forward(batch, .allTokens)
        return (0..<batch.sequenceCount).map { batch.tokens(of: $0).map(output.rowValues) }
    }
}

extension Matrix {
    /// A row as a list.
    fileprivate func rowValues(_ index: Int) -> [Float] {
        Array(UnsafeBufferPointer(start: row(index), count: columns))
    }
}
