extension Metrics {
    /// Pearson's correlation of predictions and labels; 0 where either is constant, NaN where a value is not finite.
    public static func pearson(predictions: [Double], labels: [Double]) -> Double {
        precondition(predictions.count == labels.count, "\(predictions.count) predictions, \(labels.count) labels")
        guard !labels.isEmpty, (predictions + labels).allSatisfy(\.isFinite) else { return .nan }
        // Compared before subtracting: the rounded mean of equal values can differ from them.
        guard !isConstant(predictions), !isConstant(labels) else { return 0 }

        let dx = scaledDeviations(predictions)
        let dy = scaledDeviations(labels)
        let xy = zip(dx, dy).reduce(0) { $0 + $1.0 * $1.1 }
        let xx = dx.reduce(0) { $0 + $1 * $1 }
        let yy = dy.reduce(0) { $0 + $1 * $1 }
        // Rounding may carry a perfect correlation past one.
        return max(-1, min(1, xy / (xx.squareRoot() * yy.squareRoot())))
    }

    /// Spearman's correlation: Pearson's over the ranks, equal values sharing the mean of theirs; 0 where either is
    /// constant, NaN where a value is not a number.
    public static func spearman(predictions: [Double], labels: [Double]) -> Double {
        // What is no number has no rank.
        guard !(predictions + labels).contains(where: \.isNaN) else { return .nan }
        return pearson(predictions: ranks(predictions), labels: ranks(labels))
    }

    /// The rank of each value from 1, equal values sharing the mean of theirs.
    static func ranks(_ values: [Double]) -> [Double] {
        let order = values.indices.sorted { values[$0] < values[$1] }
        var ranks = [Double](repeating: 0, count: values.count)
        var start = 0
        while start < order.count {
            var end = start + 1
            while end < order.count, values[order[end]] == values[order[start]] { end += 1 }
            for position in start..<end { ranks[order[position]] = Double(start + 1 + end) / 2 }
            start = end
        }
        return ranks
    }

    private static func isConstant(_ values: [Double]) -> Bool {
        values.allSatisfy { $0 == values[0] }
    }

    /// Distances from the mean of values that differ, found in a second pass and divided by the largest, so that no
    /// square over- or underflows.
    private static func scaledDeviations(_ values: [Double]) -> [Double] {
        let mean = mean(values)
        let deviations = values.map { $0 - mean }
        let largest = deviations.reduce(0) { max($0, abs($1)) }
        return deviations.map { $0 / largest }
    }
}
