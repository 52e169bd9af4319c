import Data
import Foundation

/// The file that SQuAD's official scorer takes: one JSON object with the answer to each question under its id, empty for none.
public struct SquadPredictions {
    private let model: TrainedModel
    private let task: Int
    private let split: String

    /// The answers of a model's task to the questions of one of its splits.
    public init(_ model: TrainedModel, task: Int, split: String) {
        self.model = model
        self.task = task
        self.split = split
    }

    /// The file's text; says how good the answers are where the right ones are known.
    public func json(report: (String) -> Void) throws -> String {
        let definition = model.tasks[task]
        guard definition.documentStride != nil else {
            throw TrainingError("task \(definition.name) has no questions about contexts, as SQuAD has them")
        }
        let contents = try model.contents(task: task, split: split)
        if contents.leftOut.count > 0 { report("\(definition.name) \(split)\(contents.leftOut.summary)") }
        contents.leftOut.list.forEach(report)
        let predictions = model.predict(contents.rows, task: task)
        let answers = Dictionary(uniqueKeysWithValues: zip(contents.rows.map(\.uid), predictions.map(\.answer)))
        let json = try JSONSerialization.data(
            withJSONObject: answers, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
        let scores = PredictionScores(predictions, of: definition).map { ": \($0.summary)" } ?? ""
        report("\(definition.name) \(split), \(predictions.count) questions\(scores)")
        return String(decoding: json, as: UTF8.self) + "\n"
    }
}
