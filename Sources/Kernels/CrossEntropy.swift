/// -log softmax(row)[target]; the row becomes its gradient, (softmax(row) - onehot(target)) · weight.
@inline(__always)
public func softmaxCrossEntropy(
    _ row: UnsafeMutablePointer<Float>, count: Int, target: Int, weight: Float
) -> Double {
    let score = row[target]
    let (largest, sum) = exponentials(row, count: count)
    let factor = weight / sum
    forEachVector(count) { start, count in store(load(row + start, count) * factor, row + start, count) }
    row[target] -= weight
    return crossEntropy(score, largest: largest, sum: sum)
}

/// The loss of each row of scores, which becomes its gradient.
/// - Parameters:
///   - scores: one row for each target [targets, classes].
///   - losses: receives the loss of each row [targets].
public func softmaxCrossEntropy(
    _ scores: Matrix, targets: UnsafePointer<Int32>, weight: Float, losses: UnsafeMutablePointer<Double>
) {
    forEachRow(of: scores, (scores, targets, weight, losses)) { work, index in
        let (scores, targets, weight, losses) = work
        losses[index] = softmaxCrossEntropy(
            scores.row(index), count: scores.columns, target: Int(targets[index]), weight: weight)
    }
}

/// -log softmax of a score, of a row with the largest score and the sum of what `exponentials` makes of all.
private func crossEntropy(_ score: Float, largest: Float, sum: Float) -> Double {
    logarithm(Double(sum)) + (Double(largest) - Double(score))
}

/// The loss of each row of scores, and whether its target has the largest of them, of equal ones the first. The rows are spoilt.
/// - Parameters:
///   - scores: one row for each target [targets, classes].
///   - losses: receives the loss of each row [targets].
///   - areLargest: receives for each row whether the target would be chosen [targets].
public func judgeCrossEntropy(
    _ scores: Matrix, targets: UnsafePointer<Int32>, losses: UnsafeMutablePointer<Double>,
    areLargest: UnsafeMutablePointer<Bool>
) {
    forEachRow(of: scores, (scores, targets, losses, areLargest)) { work, index in
        let (scores, targets, losses, areLargest) = work
        let row = scores.row(index)
        let target = Int(targets[index])
        let score = row[target]
        var isFirst = true
        for column in 0..<target where row[column] >= score { isFirst = false }
        let (largest, sum) = exponentials(row, count: scores.columns)
        losses[index] = crossEntropy(score, largest: largest, sum: sum)
        areLargest[index] = isFirst && score == largest
    }
}
