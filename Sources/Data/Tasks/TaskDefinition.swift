/// A task that can be trained: what its rows hold, what its head predicts and how it is scored.
public struct TaskDefinition: Equatable, Sendable {
    /// What the head predicts.
    public enum Kind: Equatable, Sendable {
        /// One of `classCount` classes; `labels` holds their names in class order, or nothing where they are numbers.
        case classification(classCount: Int, labels: [String])
        /// One number; scores of rows outside `scoreRange` are refused.
        case regression(scoreRange: ClosedRange<Float>?)
        /// The right one among a query's candidates; `labels` may name wrong and right, in this order.
        case ranking(labels: [String])
        /// A label for each word; `labels` holds their names, `O` and `B-PER` for instance.
        case labelling(labels: [String])
        /// The span of a context that answers a question, or none where `allowsNone`. Windows of the context start `stride` tokens after each other.
        case span(allowsNone: Bool, stride: Int)
        /// The word pieces that stood where some are masked, among `classCount`, and whether the second text of a pair follows the first.
        /// `wholeWords`: whether all pieces of a word are masked together.
        case maskedWords(classCount: Int, wholeWords: Bool)

        /// Whether it is one number.
        var isRegression: Bool { if case .regression = self { true } else { false } }
    }

    /// Where the files of a task are; relative paths are relative to the run's data folder.
    public enum DataLocation: Equatable, Sendable {
        /// In this folder, under the names that the format gives them.
        case folder(String)
        /// One file per split.
        case files([String: String])
    }

    /// The name in the task file, which names the task's files and parameters.
    public var name: String
    /// What the head predicts.
    public var kind: Kind
    /// Whether rows are pairs; always true for ranking (query and candidate).
    public var isPair: Bool
    /// Whether the head is the stochastic answer network, or a linear layer.
    public var usesStochasticAnswerNetwork = false
    /// The head's dropout rate; nil leaves it to the run's `task_dropout`.
    public var dropout: Float?
    /// The scores of an evaluation, in the order of the file. The first one ranks checkpoints.
    public var metrics: [Metric]
    /// The names of the splits.
    public var splits = ["train", "dev", "test"]
    /// Where the files are.
    public var data: DataLocation = .folder(".")
    /// How the files are written.
    public var format: ExampleFormat = .canonical
    /// What happens to rows that cannot be read.
    public var onBadRow = BadRowRule.error
    /// The factor on the task's loss.
    public var lossWeight: Double = 1
    /// `adv_loss`: how the scores of perturbed sequences are compared with the plain ones'; nil leaves the choice to what the task predicts. mt-dnn's
    /// files name it for runs that perturb nothing, too.
    public var adversarialLoss: LossCriterion?
    /// How it learns from a teacher's scores.
    public var distillation = DistillationSettings()
    /// The factor on the task's share of the batches.
    public var samplingWeight: Double = 1
    /// Rows per batch; nil leaves it to the run's `batch_size`.
    public var batchSize: Int?
    /// Tokens per sequence at most; nil leaves it to the run's `max_length`.
    public var maximumLength: Int?
    /// Only the first so many rows are trained on.
    public var maximumExamples: Int?
    /// The fraction of those rows that is trained on, drawn by the run's seed.
    public var trainFraction: Double = 1

    /// Most rows that are read of a split: `max_examples` is for training.
    public func mostRows(ofSplit split: String) -> Int {
        split == Self.trainingSplit ? maximumExamples ?? .max : .max
    }

    /// A task with mt-dnn's defaults for everything else.
    public init(name: String, kind: Kind, isPair: Bool, metrics: [Metric]) {
        self.name = name
        self.kind = kind
        self.isPair = isPair
        self.metrics = metrics
    }

    /// The name of the split to train on.
    public static let trainingSplit = "train"

    /// How many tokens after the one before a window of a context starts, unless told.
    static let defaultDocumentStride = 128

    /// Whether a question may have no answer; false for tasks without questions.
    var allowsNoAnswer: Bool { if case .span(allowsNone: true, _) = kind { true } else { false } }

    /// How many tokens after the one before a window of a context starts; nil for tasks without contexts.
    public var documentStride: Int? { if case .span(_, let stride) = kind { stride } else { nil } }

    /// The names of an evaluation's scores, in the order of `metrics`.
    public var scoreNames: [String] { metrics.flatMap(\.scoreNames) }

    /// The splits to evaluate: `dev`, or `matched_dev` and `mismatched_dev`.
    public var developmentSplits: [String] { splits.filter { $0.hasSuffix("dev") } }

    /// The splits whose labels may be absent: `test`, or `matched_test` and `mismatched_test`.
    public var testSplits: [String] { splits.filter { $0.hasSuffix("test") } }

    /// The numbers that the head puts out per sequence, or per token where it reads all of them.
    public var outputCount: Int {
        switch kind {
        case .classification(let classCount, _): classCount
        case .labelling(let labels): labels.count
        case .regression, .ranking: 1
        case .span: 2
        // Of word pieces only what their scores come to: loss, number and hits of the masked ones, and whether the second text is told.
        case .maskedWords: 4
        }
    }
}
