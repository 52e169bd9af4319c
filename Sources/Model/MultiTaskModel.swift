import Kernels

/// MT-DNN: one BERT encoder shared by all tasks, and a head for each.
public final class MultiTaskModel {
    /// All values and gradients.
    public let parameters = Parameters()
    /// The shared encoder.
    public let encoder: Encoder
    /// The gradient of the word embeddings.
    public let wordGradient: WordGradient
    /// Bytes of activations.
    public var workspaceByteCount: Int { workspace.byteCount }
    private let pooler: Pooler
    private let heads: [any TaskHead]
    private let workspace = Workspace()

    /// Probabilities with which the encoder drops: after embeddings and linear layers, and of attention probabilities.
    public struct EncoderDropout: Sendable, Equatable {
        /// After embeddings, attention output and feed-forward output.
        public var hidden: Float
        /// Of attention probabilities.
        public var attention: Float

        /// The two probabilities.
        public init(hidden: Float, attention: Float) {
            self.hidden = hidden
            self.attention = attention
        }
    }

    /// Lays out all parameters and makes all memory; every value is zero.
    /// - Parameters:
    ///   - heads: the tasks, in the order by which `forward` numbers them.
    ///   - capacity: the largest share of a batch.
    ///   - gradientBuffers: number of this rank's subtrees of slices; 0 where nothing is trained.
    ///   - touchedWords: most word pieces that a global batch touches.
    ///   - recomputes: whether layers keep their inputs only, and backward computes the rest again: less memory, a third more work.
    ///   - memory: makes room for values and gradients.
    public init(
        encoder sizes: EncoderSizes, heads definitions: [HeadDefinition], dropout: EncoderDropout,
        capacity: BatchCapacity, gradientBuffers: Int, touchedWords: Int, recomputes: Bool = false,
        memory: (ParameterSizes) throws -> ParameterMemory
    ) rethrows {
        encoder = Encoder(
            sizes, dropout: dropout.hidden, attentionDropout: dropout.attention, capacity: capacity,
            recomputes: recomputes, in: parameters, workspace)
        pooler = Pooler(hiddenSize: sizes.hiddenSize, capacity: capacity, in: parameters, workspace)
        heads = definitions.map { [parameters, workspace, encoder, pooler] in
            $0.make(on: encoder, pooler, capacity: capacity, in: parameters, workspace)
        }
        let memory = try memory(parameters.sizes(gradientBuffers: gradientBuffers, touchedWords: touchedWords))
        wordGradient = WordGradient(
            vocabularySize: sizes.vocabularySize, columns: sizes.hiddenSize, capacity: touchedWords,
            tokens: capacity.tokens, memory: memory, in: workspace)
        parameters.place(in: memory)
    }

    /// A model in memory of its own.
    public convenience init(
        encoder sizes: EncoderSizes, heads definitions: [HeadDefinition], dropout: EncoderDropout,
        capacity: BatchCapacity, gradientBuffers: Int, touchedWords: Int, recomputes: Bool = false
    ) {
        self.init(
            encoder: sizes, heads: definitions, dropout: dropout, capacity: capacity, gradientBuffers: gradientBuffers,
            touchedWords: touchedWords, recomputes: recomputes, memory: ParameterMemory.init(sizes:))
    }

    /// Whether a step of task `head` changes parameter group `group`: the encoder, the pooler if the head reads it, and its own.
    public func isActive(group: Int, forHead head: Int) -> Bool {
        switch group {
        case ParameterGroup.wordEmbeddings, ParameterGroup.encoder: true
        case ParameterGroup.pooler: heads[head].changesPooler
        default: group - ParameterGroup.firstHead == head
        }
    }

    /// What the head of a task says: scores of every sequence [sequences, outputs], of every token where words have labels or answers are spans, or what
    /// `PretrainingHead.forward` gives.
    public func forward(_ batch: PackedBatch, head index: Int) -> Matrix {
        let head = heads[index]
        let encoded = encoder.forward(batch, head.reads)
        return head.forward(head.readsPooler ? pooler.forward(encoded, batch) : encoded, batch)
    }

    /// Writes each unit's loss, and the gradients of all parameters that the task reads; follows `forward`.
    public func backward(_ batch: PackedBatch, head index: Int) {
        backwardHead(batch, index)
        encoder.backward(
            batch, heads[index].reads, words: wordGradient, decoder: heads[index].decoderGradient)
    }

    /// Draws noise for the twins of `batch`, and lets it climb; does nothing where there are none. `forward` follows.
    public func perturb(_ batch: PackedBatch, head index: Int) {
        guard let perturbation = batch.perturbation, let noise = encoder.noise else { return }
        noise.draw(batch, perturbation)
        climb(batch, head: index)
    }

    /// Takes the steps of the noise that the twins have.
    func climb(_ batch: PackedBatch, head index: Int) {
        guard let perturbation = batch.perturbation, let noise = encoder.noise else { return }
        batch.isClimbing = true
        for _ in 0..<perturbation.steps {
            _ = forward(batch, head: index)
            backwardHead(batch, index)
            noise.climb(batch, perturbation, along: encoder.backwardLayers(batch, heads[index].reads))
        }
        batch.isClimbing = false
    }

    /// From the losses to the gradient of the encoder's output.
    private func backwardHead(_ batch: PackedBatch, _ index: Int) {
        precondition(batch.random != nil, "without random numbers forward keeps nothing for backward")
        let head = heads[index]
        let encoded = encoder.output(batch, head.reads)
        let dencoded = encoder.outputGradient(batch, head.reads)
        if head.readsPooler {
            let dpooled = pooler.outputGradient(batch)
            head.backward(batch, input: pooler.output(batch), into: dpooled)
            pooler.backward(batch, input: encoded, into: dencoded)
        } else {
            head.backward(batch, input: encoded, into: dencoded)
        }
    }
}
