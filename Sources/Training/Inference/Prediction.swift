import Data
import Foundation
import Kernels

/// What a trained head says to one example.
public struct Prediction: Sendable {
    /// The example's name.
    public let uid: String
    /// What the head puts out: a value for each class, the similarity, the relevance of each candidate, or two of each token of a question's windows.
    public let scores: ArraySlice<Float>
    /// The right answer as a number, where the example has one.
    let label: Float?
    /// Where words begin, for heads that label them, or the marks of a question's tokens.
    let tokenLabels: [Int32]
    /// What a question is about.
    let context: QuestionContext?
    private let task: TaskDefinition

    init(
        uid: String, scores: ArraySlice<Float>, label: Float?, tokenLabels: [Int32], context: QuestionContext?,
        task: TaskDefinition
    ) {
        self.uid = uid
        self.scores = scores
        self.label = label
        self.tokenLabels = tokenLabels
        self.context = context
        self.task = task
    }

    init(_ example: TokenizedExample, _ scores: ArraySlice<Float>, of task: TaskDefinition) {
        self.init(
            uid: oneField(example.uid), scores: scores, label: example.label, tokenLabels: example.tokenLabels,
            context: example.context, task: task)
    }

    /// The number of the predicted class, or of the best candidate.
    var index: Int { scores.indexOfLargest }

    /// The predicted class by its name, the similarity, the number of the best candidate from 0, or the answer to a question, empty for none.
    public var answer: String {
        switch task.kind {
        case .classification: task.labelName(index)
        case .regression: "\(scores.first!)"
        case .ranking: "\(index)"
        case .labelling: wordLabels.joined(separator: " ")
        case .span: found?.text ?? ""
        case .maskedWords: preconditionFailure("texts for pre-training have no answer")
        }
    }

    /// The answer to a question with its place and score; nil for other tasks.
    var found: FoundAnswer? {
        guard case .span(let allowsNone, _) = task.kind else { return nil }
        return context?.answer(scores, marks: tokenLabels, allowsNone: allowsNone)
    }

    /// The names of the words' classes; none where the head labels no words.
    public var wordLabels: [String] { task.wordClasses(scores, tokenLabels: tokenLabels).map(task.labelName) }

    /// The scores as a student's soft labels: what a softmax makes shares of. Of the answer network they are the logarithms of its shares.
    public var softLabels: [Float] {
        guard task.usesStochasticAnswerNetwork else { return Array(scores) }
        return scores.map { Float(logarithm(Double(max($0, .leastNormalMagnitude)))) }
    }

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

/// A text that takes one column of one line.
private func oneField(_ text: String) -> String { String(text.map { $0.isNewline || $0 == "\t" ? " " : $0 }) }

private func softmax(_ scores: ArraySlice<Float>) -> [Float] {
    let largest = Double(scores.max() ?? 0)
    let powers = scores.map { exponential(Double($0) - largest) }
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
        case .span: return "uid\tanswer"
        case .maskedWords: return nil
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
        case .regression, .labelling, .maskedWords: return "\(prediction.uid)\t\(prediction.answer)"
        case .span: return "\(prediction.uid)\t\(oneField(prediction.answer))"
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
        var answer: String?
        var answerStart: Int?
        var noAnswerScore: Float?

        enum CodingKeys: String, CodingKey {
            case uid, prediction, probabilities, score, best, scores, labels, answer
            case answerStart = "answer_start"
            case noAnswerScore = "no_answer_score"
        }

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
            case .span(let allowsNone, _):
                guard let found = prediction.found else { return }
                answer = found.text
                answerStart = found.start
                score = found.score.map { Float($0) }
                noAnswerScore = allowsNone ? Float(found.noneScore) : nil
            case .maskedWords: break
            }
        }
    }
}

/// The scores of predictions whose examples all have labels; nil otherwise.
public struct PredictionScores {
    /// The task's scores in the order of its definition.
    public let scores: [(name: String, value: Double)]

    /// The scores as a line of text.
    public var summary: String { scores.map { String(format: "%@ %.4f", $0.name, $0.value) }.joined(separator: "  ") }

    /// The scores that the task's `metric_meta` names.
    public init?(_ predictions: [Prediction], of task: TaskDefinition) {
        guard !predictions.isEmpty, predictions.allSatisfy({ $0.label != nil }) else { return nil }
        let judged = task.judge(predictions)
        scores = task.scoreNames.compactMap { name in judged.score(name).map { (name, $0) } }
    }
}
