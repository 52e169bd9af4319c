/// The scores of predictions against labels, in Double.
///
/// All of them are NaN for no examples at all: a score of nothing must not look like a bad or a good one. Where a
/// formula divides by zero for other reasons, each function says what it returns instead.
public enum Metrics {
    /// The share of predictions that equal their label.
    public static func accuracy(predictions: [Int], labels: [Int]) -> Double {
        precondition(predictions.count == labels.count, "\(predictions.count) predictions, \(labels.count) labels")
        return mean(zip(predictions, labels).map { $0 == $1 ? 1 : 0 })
    }

    /// The harmonic mean of precision and recall of class 1; 0 where nothing of class 1 is found.
    public static func f1(predictions: [Int], labels: [Int]) -> Double {
        precondition(predictions.count == labels.count, "\(predictions.count) predictions, \(labels.count) labels")
        guard !labels.isEmpty else { return .nan }
        let right = zip(predictions, labels).count { $0 == 1 && $1 == 1 }
        let named = predictions.count { $0 == 1 } + labels.count { $0 == 1 }
        return named == 0 ? 0 : 2 * Double(right) / Double(named)
    }

    /// Matthews' correlation for any number of classes (Gorodkin's R_K): for two it is the φ coefficient.
    ///
    /// 0 where it is undefined: all predictions or all labels are of one class.
    public static func matthews(predictions: [Int], labels: [Int]) -> Double {
        precondition(predictions.count == labels.count, "\(predictions.count) predictions, \(labels.count) labels")
        guard !labels.isEmpty else { return .nan }
        var predictedCounts: [Int: Int] = [:]
        var labelCounts: [Int: Int] = [:]
        for prediction in predictions { predictedCounts[prediction, default: 0] += 1 }
        for label in labels { labelCounts[label, default: 0] += 1 }

        // All sums are of whole numbers, so nothing is rounded before the division.
        let count = labels.count
        let right = zip(predictions, labels).count { $0 == $1 }
        let agreement = labelCounts.reduce(0) { $0 + $1.value * predictedCounts[$1.key, default: 0] }
        let predictedSpread = count * count - predictedCounts.values.reduce(0) { $0 + $1 * $1 }
        let labelSpread = count * count - labelCounts.values.reduce(0) { $0 + $1 * $1 }
        guard predictedSpread > 0, labelSpread > 0 else { return 0 }
        return Double(right * count - agreement)
            / (Double(predictedSpread).squareRoot() * Double(labelSpread).squareRoot())
    }

    /// The mean of the values; NaN for none.
    static func mean(_ values: [Double]) -> Double {
        values.reduce(0, +) / Double(values.count)
    }
}
