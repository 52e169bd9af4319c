import Kernels

/// What a task's head is trained for.
public enum Objective: Sendable, Equatable {
    /// -log softmax(scores)[label], a unit being one row.
    case crossEntropy
    /// (score - label)², a unit being one row.
    case squaredError
    /// -log softmax(scores of a query's candidates)[positive], a unit being one query.
    case ranking
    /// The sum over a unit's tokens with a class of -log softmax(scores)[class].
    case tokenCrossEntropy
    /// Half of -log softmax(first scores of a sequence's tokens)[start] and half of the same of the second scores at the end.
    case spanCrossEntropy

    /// Whether every token has scores, or only each sequence.
    var readsAllTokens: Bool { self == .tokenCrossEntropy || self == .spanCrossEntropy }
}

/// Writes each unit's loss and its gradient for the scores, times the batch's weight for a unit. Rows of twins stay as they are.
/// - Parameters:
///   - scores: one row for each sequence [sequences, classes], or each token [tokens, classes].
///   - column: room for the scores of a sequence's tokens [1, longest sequence]; only where spans are looked for.
///   - dscores: receives the gradient, the same shape.
func computeLosses(
    _ objective: Objective, scores: Matrix, batch: PackedBatch, column: Matrix? = nil, into dscores: Matrix
) {
    for unit in 0..<batch.unitCount {
        let label = batch.labels[unit]
        let sequences = batch.sequences(ofUnit: unit)
        let row = dscores.row(sequences.lowerBound)
        switch objective {
        case .crossEntropy:
            row.update(from: scores.row(sequences.lowerBound), count: scores.columns)
            batch.losses[unit] = softmaxCrossEntropy(
                row, count: scores.columns, target: Int(label), weight: batch.unitWeight)
        case .squaredError:
            let difference = scores.row(sequences.lowerBound)[0] - label
            batch.losses[unit] = Double(difference) * Double(difference)
            row[0] = 2 * difference * batch.unitWeight
        case .ranking:
            // A query's candidates are consecutive rows of one column: a row vector in memory.
            row.update(from: scores.row(sequences.lowerBound), count: sequences.count)
            batch.losses[unit] = softmaxCrossEntropy(
                row, count: sequences.count, target: Int(label), weight: batch.unitWeight)
        case .tokenCrossEntropy:
            batch.losses[unit] = 0
            for token in batch.sequenceStarts[sequences.lowerBound]..<batch.sequenceStarts[sequences.upperBound] {
                let target = Int(batch.tokenLabels[token])
                guard target >= 0 else {
                    dscores.row(token).update(repeating: 0, count: scores.columns)
                    continue
                }
                dscores.row(token).update(from: scores.row(token), count: scores.columns)
                batch.losses[unit] += softmaxCrossEntropy(
                    dscores.row(token), count: scores.columns, target: target, weight: batch.unitWeight)
            }
        case .spanCrossEntropy:
            let tokens = batch.tokens(of: batch.sequences(ofUnit: unit).lowerBound)
            batch.losses[unit] = 0
            for end in 0..<2 {
                let (line, mark) = (column!.row(0), Int32(1) << end)
                var target = 0
                for (index, token) in tokens.enumerated() {
                    line[index] = scores.row(token)[end]
                    if batch.tokenLabels[token] & mark != 0 { target = index }
                }
                let loss = softmaxCrossEntropy(line, count: tokens.count, target: target, weight: batch.unitWeight)
                batch.losses[unit] += 0.5 * loss
                for (index, token) in tokens.enumerated() { dscores.row(token)[end] = 0.5 * line[index] }
            }
        }
    }
}
