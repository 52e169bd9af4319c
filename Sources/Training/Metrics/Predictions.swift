/// What a model or a baseline says to a task's examples, beside what is right.
public enum Predictions: Equatable, Sendable {
    /// A class for each example.
    case classes([Int], labels: [Int])
    /// A number for each example.
    case numbers([Double], labels: [Double])
    /// A score for each candidate of each query, and which candidate is the right one.
    case candidates([[Double]], positives: [Int])

    /// A class for each word of each sentence, and the names of classes.
    case labels([[Int]], labels: [[Int]], names: [String])
    /// What was told of each pair of texts with masked word pieces.
    case maskedWords([MaskedResult])

    /// An answer to each question, empty for none, and the right ones.
    ///
    /// `mayBeNone` says whether the rules are SQuAD 2.0's or 1.1's.
    case answers([String], right: [[String]], mayBeNone: Bool)

    /// The scores that fit this kind of prediction, by the names that mt-dnn's `metric_meta` gives them.
    public var scores: [String: Double] {
        var scores: [String: Double] = [:]
        for name in Self.names { scores[name] = score(name) }
        return scores
    }

    /// One score by its name in `metric_meta`; nil where it does not fit this kind of prediction.
    ///
    /// `ACC` of candidates is accuracy at 1.
    public func score(_ name: String) -> Double? {
        switch (self, name) {
        case (.classes(let classes, let labels), "ACC"): Metrics.accuracy(predictions: classes, labels: labels)
        case (.classes(let classes, let labels), "F1"): Metrics.f1(predictions: classes, labels: labels)
        case (.classes(let classes, let labels), "MCC"): Metrics.matthews(predictions: classes, labels: labels)
        case (.numbers(let numbers, let labels), "Pearson"): Metrics.pearson(predictions: numbers, labels: labels)
        case (.numbers(let numbers, let labels), "Spearman"): Metrics.spearman(predictions: numbers, labels: labels)
        case (.candidates(let scores, let positives), "ACC"), (.candidates(let scores, let positives), "AccuracyAt1"):
            Metrics.accuracyAt1(scores: scores, positives: positives)
        case (.candidates(let scores, let positives), "MRR"):
            Metrics.meanReciprocalRank(scores: scores, positives: positives)
        case (.labels(let found, let labels, _), "ACC"):
            Metrics.accuracy(predictions: found.flatMap { $0 }, labels: labels.flatMap { $0 })
        case (.labels(let found, let labels, let names), "SeqEval"):
            Metrics.entityF1(
                predictions: found.map { $0.map { names[$0] } }, labels: labels.map { $0.map { names[$0] } })
        case (.answers(let answers, let right, let mayBeNone), "F1"):
            Metrics.answerF1(predictions: answers, right: right, mayBeNone: mayBeNone)
        case (.answers(let answers, let right, let mayBeNone), "EM"):
            Metrics.exactMatch(predictions: answers, right: right, mayBeNone: mayBeNone)
        case (.maskedWords(let results), "ACC"): MaskedResult.mean(results, \.hits)
        case (.maskedWords(let results), "MaskedLoss"): MaskedResult.mean(results, \.loss)
        case (.maskedWords(let results), "NextACC"): Metrics.mean(results.map { $0.nextIsRight ? 1 : 0 })
        default: nil
        }
    }

    private static let names = [
        "ACC", "F1", "MCC", "Pearson", "Spearman", "AccuracyAt1", "MRR", "SeqEval", "EM", "NextACC", "MaskedLoss",
    ]
}

/// What the scores of a pair of texts with masked word pieces come to.
public struct MaskedResult: Equatable, Sendable {
    /// The sum of -log P(right piece) over masked pieces.
    public var loss: Double
    /// Masked pieces.
    public var count: Double
    /// Those for which the right piece has the highest score.
    public var hits: Double
    /// Whether it is told rightly if the second text follows the first.
    public var nextIsRight: Bool

    /// The mean of a number over all masked pieces; nil where none is masked.
    fileprivate static func mean(_ results: [MaskedResult], _ number: KeyPath<MaskedResult, Double>) -> Double? {
        let count = results.reduce(0) { $0 + $1.count }
        return count > 0 ? results.reduce(0) { $0 + $1[keyPath: number] } / count : nil
    }

    /// The four numbers that a head for pre-training puts out.
    init(_ outputs: ArraySlice<Float>) {
        let first = outputs.startIndex
        (loss, count) = (Double(outputs[first]), Double(outputs[first + 1]))
        (hits, nextIsRight) = (Double(outputs[first + 2]), outputs[first + 3] == 1)
    }
}
