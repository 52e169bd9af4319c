import Data
import Foundation

/// What a trained head says to one example.
public struct Prediction: Sendable {
    /// The example's name.
    public let uid: String
    /// What the head puts out: a value for each class, the similarity, or the relevance of each candidate.
    public let scores: ArraySlice<Float>
    /// The right answer as a number, where the example has one.
    let label: Float?
    /// Where words begin, for heads that label them.
    let tokenLabels: [Int32]
    private let task: TaskDefinition

    init(_ example: TokenizedExample, _ scores: ArraySlice<Float>, of task: TaskDefinition) {
        // A name takes one column of one line.
        uid = String(example.uid.map { $0.isNewline || $0 == "\t" ? " " : $0 })
        label = example.label
        tokenLabels = example.tokenLabels
        self.scores = scores
        self.task = task
    }

    /// The number of the predicted class, or of the best candidate.
    var index: Int { scores.indexOfLargest }

    /// The predicted class by its name, the similarity, or the number of the best candidate from 0.
    public var answer: String {
        switch task.kind {
        case .classification: task.labelName(index)
        case .regression: "\(scores.first!)"
        case .ranking: "\(index)"
        case .labelling: wordLabels.joined(separator: " ")
        }
    }

    /// The names of the words' classes; none where the head labels no words.
    public var wordLabels: [String] { task.wordClasses(scores, tokenLabels: tokenLabels).map(task.labelName) }

    /// The share of each class; the answer network puts them out itself. Of candidates the share of each among them.
    public var probabilities: [Float] {
        task.usesStochasticAnswerNetwork ? Array(scores) : softmax(scores)
    }
}

extension TaskDefinition {
    /// The name of a class.
    func labelName(_ index: Int) -> String {
        switch kind {
        case .classification(_, let labels) where !labels.isEmpty: labels[index]
        case .labelling(let labels): labels[index]
        default: "\(index)"
        }
    }
}

private func softmax(_ scores: ArraySlice<Float>) -> [Float] {
    let largest = Double(scores.max() ?? 0)
    let powers = scores.map { exp(Double($0) - largest) }
    let sum = powers.reduce(0, +)
    return powers.map { Float($0 / sum) }
}

/// How predictions are written, a line for each.
public struct PredictionFormat {
    private let task: TaskDefinition
    private let isJSON: Bool

    /// Tab-separated lines, or JSON lines.
    public init(_ task: TaskDefinition, isJSON: Bool) {
        self.task = task
        self.isJSON = isJSON
    }

    /// What stands above the lines; nil for none.
    public var header: String? {
        guard !isJSON else { return nil }
        switch task.kind {
        case .classification(let count, _):
            return (["uid", "prediction"] + (0..<count).map(task.labelName)).joined(separator: "\t")
        case .regression: return "uid\tscore"
        case .ranking: return "uid\tbest\tscores"
        case .labelling: return "uid\tlabels"
        }
    }

    /// The line of a prediction. Numbers are as short as gives them back exactly.
    public func line(_ prediction: Prediction) throws -> String {
        guard !isJSON else {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return String(decoding: try encoder.encode(Line(prediction, task)), as: UTF8.self)
        }
        switch task.kind {
        case .classification:
            return ([prediction.uid, prediction.answer] + prediction.probabilities.map { "\($0)" })
                .joined(separator: "\t")
        case .regression, .labelling: return "\(prediction.uid)\t\(prediction.answer)"
        case .ranking:
            let scores = prediction.scores.map { "\($0)" }.joined(separator: ",")
            return "\(prediction.uid)\t\(prediction.answer)\t\(scores)"
        }
    }

    private struct Line: Encodable {
        var uid: String
        var prediction: String?
        var probabilities: [Float]?
        var score: Float?
        var best: Int?
        var scores: [Float]?
        var labels: [String]?

        init(_ prediction: Prediction, _ task: TaskDefinition) {
            uid = prediction.uid
            switch task.kind {
            case .classification:
                self.prediction = prediction.answer
                probabilities = prediction.probabilities
            case .regression: score = prediction.scores.first
            case .ranking:
                best = prediction.index
                scores = Array(prediction.scores)
            case .labelling: labels = prediction.wordLabels
            }
        }
    }
}

/// The scores of predictions whose examples all have labels; nil otherwise.
public struct PredictionScores {
    /// The task's scores in the order of its definition.
    public let scores: [(name: String, value: Double)]

    /// The scores that the task's `metric_meta` names.
    public init?(_ predictions: [Prediction], of task: TaskDefinition) {
        let labels = predictions.compactMap(\.label).map(Double.init)
        guard !predictions.isEmpty, labels.count == predictions.count else { return nil }
        let judged = task.predictions(
            predictions.map(\.scores), labels: labels, tokenLabels: predictions.map(\.tokenLabels))
        scores = task.metrics.compactMap { metric in
            judged.score(metric.rawValue).map { (metric.rawValue, $0) }
        }
    }
}
