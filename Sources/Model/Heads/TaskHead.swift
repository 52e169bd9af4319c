import Kernels

/// What sits on the shared encoder for one task.
protocol TaskHead: AnyObject {
    /// Which rows of the encoder's output it reads.
    var reads: RowsRead { get }
    /// Whether it reads first tokens through BERT's pooler.
    var readsPooler: Bool { get }
    /// Computes the scores [sequences, outputs], or [tokens, outputs] where all tokens are read, from the rows it reads, pooled where it asks for that.
    func forward(_ x: Matrix, _ batch: PackedBatch) -> Matrix
    /// Writes each unit's loss, the gradients of the head's parameters, and that of the rows it reads.
    func backward(_ batch: PackedBatch, input x: Matrix, into dx: Matrix)
    /// Whether the pooler has a gradient in its steps.
    var changesPooler: Bool { get }
    /// What `backward` leaves to be added to the gradient of the word embeddings, all of which its outputs depend on.
    var decoderGradient: TiedDecoderGradient? { get }
}

extension TaskHead {
    var changesPooler: Bool { readsPooler }
    var decoderGradient: TiedDecoderGradient? { nil }
}

/// What a task wants of its head.
public struct HeadDefinition: Sendable, Equatable {
    /// The paper's kinds of heads, and those for labels of words, spans and pre-training.
    public enum Kind: Sendable, Equatable {
        /// Scores of classes from the pooled first token (equation 1).
        case classification(classes: Int)
        /// A similarity from the pooled first token (equation 2).
        case regression
        /// A relevance of each candidate from the pooled first token (equation 5).
        case ranking
        /// Probabilities of classes from the words of both sentences by the stochastic answer network (equations 3 and 4).
        case answerNetwork(classes: Int, turns: Int, predictionDropout: Float)
        /// Scores of classes for each token, from its own row.
        case labelling(classes: Int)
        /// Scores of each token as the start and as the end of an answer, from its own row.
        case span
        /// Scores of all word pieces for each masked token, and whether the second text follows the first.
        case maskedWords
    }

    /// Name of the task.
    public var task: String
    /// Which head.
    public var kind: Kind
    /// Probability with which the head drops its inputs.
    public var dropout: Float

    /// A head of `kind` for `task`.
    public init(task: String, kind: Kind, dropout: Float) {
        self.task = task
        self.kind = kind
        self.dropout = dropout
    }

    func make(
        on encoder: Encoder, _ pooler: Pooler, capacity: BatchCapacity, in parameters: Parameters,
        _ workspace: Workspace
    ) -> any TaskHead {
        let hiddenSize = encoder.sizes.hiddenSize
        parameters.beginGroup(.head(task: task))
        func linear(_ outputs: Int, _ objective: Objective) -> any TaskHead {
            LinearHead(
                "heads.\(task)", hiddenSize: hiddenSize, outputs: outputs, objective: objective, dropout: dropout,
                capacity: capacity, in: parameters, workspace)
        }
        switch kind {
        case .classification(let classes): return linear(classes, .crossEntropy)
        case .regression: return linear(1, .squaredError)
        case .ranking: return linear(1, .ranking)
        case .answerNetwork(let classes, let turns, let predictionDropout):
            return StochasticAnswerNetwork(
                "heads.\(task)", hiddenSize: hiddenSize, classes: classes, turns: turns, dropout: dropout,
                predictionDropout: predictionDropout, capacity: capacity, in: parameters, workspace)
        case .labelling(let classes): return linear(classes, .tokenCrossEntropy)
        case .span: return linear(2, .spanCrossEntropy)
        case .maskedWords:
            return PretrainingHead(
                "heads.\(task)", on: encoder, pooler, capacity: capacity, in: parameters, workspace)
        }
    }
}
