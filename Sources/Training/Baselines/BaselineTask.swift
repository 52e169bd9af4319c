import Data

/// A task as the baselines see it: labelled texts to learn from and labelled texts to be scored on.
///
/// A baseline is what a trained model has to beat to have learned anything.
public struct BaselineTask: Sendable {
    /// What is to be predicted.
    public enum Kind: Equatable, Sendable {
        /// One of so many classes.
        case classification(classCount: Int)
        /// One number.
        case regression
        /// The right one among a query's candidates.
        case ranking
    }

    /// What is to be predicted.
    public let kind: Kind
    /// The name of the score to maximise where something is chosen on the training examples, as in `metric_meta`.
    public let mainMetric: String
    /// The examples to learn from, all with a label.
    public let train: [Example]
    /// The examples to be scored on, all with a label.
    public let dev: [Example]

    /// A task of these parts.
    public init(kind: Kind, mainMetric: String, train: [Example], dev: [Example]) {
        self.kind = kind
        self.mainMetric = mainMetric
        self.train = train
        self.dev = dev
    }

    /// Whether rows have a second text to compare the first with.
    var comparesTexts: Bool { kind == .ranking || !(train.first ?? dev.first)!.second.isEmpty }

    /// The training examples that a cut between classes is learned from: one number needs no more than some thousands of them, spread evenly.
    var examplesForCut: [Example] {
        let limit = 4096
        return train.count <= limit ? train : (0..<limit).map { train[$0 * train.count / limit] }
    }

    /// The score that choices on the training examples maximise; minus infinity where there is none.
    func mainScore(_ predictions: Predictions) -> Double {
        guard let score = predictions.score(mainMetric) else {
            preconditionFailure("\(mainMetric) does not fit a task of the kind \(kind)")
        }
        return score.isNaN ? -.infinity : score
    }
}

/// The dev scores of one baseline.
public struct BaselineResult: Equatable, Sendable {
    /// What made the predictions, as a table names it: "majority", "word overlap", ...
    public let name: String
    /// The scores by their names in `metric_meta`, as an evaluation of a model has them.
    public let scores: [String: Double]
}

extension [Example] {
    /// The labels as numbers.
    var numbers: [Double] {
        map { example in
            guard let label = example.label else { preconditionFailure("example \(example.uid) has no label") }
            return Double(label)
        }
    }

    /// The labels as classes, or as numbers of the right candidates.
    var classes: [Int] { numbers.map { Int($0) } }
}
