import Data
import Kernels

/// Everything that one run file decides, defaults filled in and paths made absolute.
public struct RunSettings: Equatable, Sendable {
    /// `encoder`: a pretrained encoder, or the sizes of one to train from scratch.
    public var encoder: EncoderSource
    /// `initialize`: a checkpoint of another run whose weights are the first values of this one; none unless given.
    public var initialize: InitializeSettings?
    /// `tasks`: the file that defines the tasks.
    public var tasks: String
    /// `data`: the folder from which the tasks' own `data` start.
    public var data: String
    /// `train`: the tasks to train; all tasks of the file unless given.
    public var train: [String]
    /// `seed`: the root of every random decision.
    public var seed: UInt64 = 2018

    /// `epochs`: passes over all rows of all tasks.
    public var epochs = 5
    /// `batch_size`: rows, or ranking queries, per update over all ranks.
    public var batchSize = 32
    /// `sampler`: how many of the batches are a task's, and in which order they come.
    public var sampler = SamplerSettings()
    /// `slices`: the parts of a batch, summed in fixed order so that ranks do not matter; also the most ranks possible, but under `per_rank_count`.
    public var slices = 8
    /// `gradient_accumulation`: the parts in which each rank computes its share of a batch, one after another: less memory for activations, the same weights.
    public var gradientAccumulation = 1
    /// `reproducible`: whether weights are the same on any number of ranks, or only on the same number.
    public var reproducible = Reproducibility.acrossRankCounts
    /// `max_length`: tokens per sequence; longer ones are cut.
    public var maximumLength = 512
    /// `evaluation_batch_size`: sequences scored at once on each rank; a ranking query has one for each candidate.
    public var evaluationBatchSize = 32

    /// `optimizer`: the rule of the updates.
    public var optimizer = OptimizerChoice.adamax
    /// `learning_rate`: the highest rate, reached after warm-up.
    public var learningRate = 5e-5
    /// `schedule`: how the rate decays after warm-up.
    public var schedule = ScheduleChoice.linear
    /// `warmup`: the share of all steps over which the rate rises from zero.
    public var warmup = 0.1
    /// `weight_decay`: decoupled decay of all weights except biases and LayerNorm.
    public var weightDecay = 0.01
    /// `gradient_clip`: the largest norm of all gradients together; 0 leaves them as they are.
    public var gradientClip = 1.0

    /// `dropout`: the encoder's dropout rate, of hidden values and attention weights.
    public var dropout: Float = 0.1
    /// `task_dropout`: the dropout rate of heads whose task has no `dropout_p`.
    public var taskDropout: Float = 0.1
    /// `san`: the stochastic answer network of the tasks with `enable_san`.
    public var answerNetwork = AnswerNetworkSettings()

    /// `smart`: adversarial regularisation of all tasks; none unless given.
    public var smart: SmartSettings?

    /// `recompute`: whether layers keep their inputs only and backward computes the rest again: less memory, a third more work, the same weights.
    public var recomputes = false
    /// `threads`: threads inside each rank; no weight depends on their number.
    public var threads = 1
    /// `checkpoint_steps`: a checkpoint every so many steps, besides the one at the end of each epoch; 0 for none.
    public var checkpointSteps = 0
    /// `keep_last`: how many checkpoints are kept, the newest ones.
    public var keepLast = 2
    /// `stall_timeout`: seconds without any progress after which the job is ended and the rank named that it waits for.
    public var stallTimeout = 300
    /// `keep_best`: whether the checkpoint with the best mean of the tasks' first metrics is kept besides.
    public var keepBest = true
    /// `patience`: the run ends after so many epochs in a row without a better mean of the tasks' first metrics; 0 for never.
    public var patience = 0
    /// `max_restarts`: how often a job that died is started again, from the newest whole checkpoint.
    public var maximumRestarts = 3
    /// `folder`: the run folder; the run file's path without its extension unless given.
    public var folder: String
    /// `prepared`: the cache of tokenised files; `prepared` beside the run folder unless given.
    public var prepared: String

    /// Settings with a default for everything that has one.
    public init(encoder: EncoderSource, tasks: String, data: String, train: [String], folder: String) {
        self.encoder = encoder
        self.tasks = tasks
        self.data = data
        self.train = train
        self.folder = folder
        prepared = absolutePath("../prepared", in: folder)
    }
}

/// Where the encoder's sizes and first values come from.
public enum EncoderSource: Equatable, Sendable {
    /// `from`: a folder as Hugging Face's BERT has it (`model.safetensors`, `config.json`, `vocab.txt`).
    case folder(String)
    /// Random first values in these sizes.
    case sizes(FreshEncoder)
}

/// What another run's checkpoint gives a new run: its encoder and pooler, and its heads if asked.
public struct InitializeSettings: Equatable, Sendable {
    /// `checkpoint`: a checkpoint, or a run folder for its best or else newest one.
    public var checkpoint: String
    /// `heads`: whether heads of the same name and shape are taken too.
    public var heads = false

    /// The encoder and pooler of a checkpoint.
    public init(checkpoint: String) { self.checkpoint = checkpoint }
}

/// The sizes of an encoder that is trained from scratch, under the names of BERT's `config.json`.
public struct FreshEncoder: Equatable, Sendable {
    /// `hidden_size`: values per token.
    public var hiddenSize: Int
    /// `num_hidden_layers`: Transformer blocks.
    public var layerCount: Int
    /// `num_attention_heads`: attention heads per block; they share `hidden_size` equally.
    public var attentionHeadCount: Int
    /// `intermediate_size`: values per token inside a block's feed-forward network.
    public var intermediateSize: Int
    /// `max_position_embeddings`: the longest sequence.
    public var maximumPositions = 512
    /// `initializer_range`: the deviation of the first values of weights. BERT's 0.02 suits hundreds of hidden units.
    public var initializerRange = 0.02
    /// `vocab`: the WordPiece vocabulary, one piece per line.
    public var vocabulary: String
    /// `lower_case`: whether text is lower-cased and stripped of accents.
    public var lowercases = true

    /// Sizes with BERT's defaults for everything else.
    public init(
        hiddenSize: Int, layerCount: Int, attentionHeadCount: Int, intermediateSize: Int, vocabulary: String
    ) {
        self.hiddenSize = hiddenSize
        self.layerCount = layerCount
        self.attentionHeadCount = attentionHeadCount
        self.intermediateSize = intermediateSize
        self.vocabulary = vocabulary
    }
}

/// The stochastic answer network's two settings.
public struct AnswerNetworkSettings: Equatable, Sendable {
    /// `turns`: predictions that are averaged.
    public var turns = 5
    /// `prediction_dropout`: the share of predictions left out of the average in training.
    public var predictionDropout: Float = 0.1

    /// The paper's settings.
    public init() {}
}

/// Smoothness-inducing adversarial regularisation with mt-dnn's defaults; `adv_loss` of a task says how its scores are compared.
public struct SmartSettings: Equatable, Sendable {
    /// `alpha`: the factor on the divergence between perturbed and plain scores; the task's own loss has the factor 1.
    public var alpha = 1.0
    /// `steps`: how often the noise climbs along its gradient.
    public var steps = 1
    /// `step_size`: what that gradient is multiplied by.
    public var stepSize: Float = 1e-5
    /// `noise`: the standard deviation of the first, random noise.
    public var noise: Float = 1e-5
    /// `norm`: which size of a token's noise is brought to `radius` after each step.
    public var norm = NoiseNorm.largest
    /// `radius`: the size of a token's noise; mt-dnn's is 1.
    public var radius: Float = 1
    /// `epsilon`: what is added to a size before it divides.
    public var epsilon: Float = 1e-6

    /// mt-dnn's settings.
    public init() {}
}

/// How tasks share the batches of an epoch.
public struct SamplerSettings: Equatable, Sendable {
    /// `kind`: the rule of the shares; each is multiplied by the task's `sampling_weight`.
    public var kind = SamplerKind.proportional
    /// `temperature`: for that kind.
    public var temperature = 1.0
    /// `cap`: for that kind, the most examples that a task counts with; none unless given.
    public var cap: Int?
    /// `main`: for that kind, the task whose batches, times its weight, are all taken.
    public var main: String?
    /// `ratio`: for that kind, the batches of all other tasks together as a multiple of the main one's; all of them unless given.
    public var ratio: Double?
    /// `last`: a task whose batches are not mixed with the others' but follow them in each epoch.
    public var last: String?

    /// The paper's: as many batches as examples fill, all mixed.
    public init() {}
}

/// The rules of shares by their names in run files.
public enum SamplerKind: String, CaseIterable, Sendable {
    /// As many batches as examples fill.
    case proportional
    /// As many as every other.
    case uniform
    /// In proportion to the number of examples to the power 1 / temperature.
    case temperature
    /// In proportion to a power of the number of examples that falls from 1 to 0.2 over the epochs.
    case annealed
    /// All batches of one task, and some of the others.
    case main
}

/// What `reproducible` promises.
public enum Reproducibility: String, CaseIterable, Sendable {
    /// The same bits on any number of ranks.
    case acrossRankCounts = "across_rank_counts"
    /// The same bits on the same number of ranks, which may be faster.
    case perRankCount = "per_rank_count"
}

/// The optimizers by their names in run files.
public enum OptimizerChoice: String, CaseIterable, Sendable {
    /// The paper's Adamax: epsilon 1e-6, no bias correction, decoupled decay.
    case adamax
    /// Adamax as PyTorch has it.
    case adamaxTorch = "adamax_torch"
    /// Adam with decoupled decay.
    case adamW = "adamw"
    /// RAdam with decoupled decay.
    case radam
    /// LAMB, for large batches: Adam whose steps are scaled to each matrix's own norm.
    case lamb
    /// Stochastic gradient descent with momentum 0.9.
    case sgd
}

/// The learning-rate schedules by their names in run files.
public enum ScheduleChoice: String, CaseIterable, Sendable {
    /// Down to zero in a straight line.
    case linear
    /// Down to zero along half a cosine.
    case cosine
    /// No decay.
    case constant
}
