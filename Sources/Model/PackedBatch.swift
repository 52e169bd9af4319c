import Kernels

/// How much one batch of a rank may hold.
public struct BatchCapacity: Sendable, Equatable {
    /// Most tokens of all sequences.
    public var tokens: Int
    /// Most sequences.
    public var sequences: Int
    /// Most tokens of one sequence.
    public var longest: Int
    /// Most masked tokens of all sequences.
    public var maskedTokens = 0
    /// The same of batches that are trained on, whose scores for all word pieces are kept for backward.
    public var trainedMaskedTokens = 0
    /// Most soft labels of one sequence: its scores by a teacher; 0 where there are none.
    public var softLabels: Int
    /// Whether its sequences may have twins, which count among the sequences.
    public var isTwinned: Bool

    /// Room for `tokens` tokens in `sequences` sequences of at most `longest` tokens, with at most `softLabels` soft labels each.
    public init(tokens: Int, sequences: Int, longest: Int, softLabels: Int = 0, isTwinned: Bool = false) {
        self.tokens = tokens
        self.sequences = sequences
        self.longest = longest
        self.softLabels = softLabels
        self.isTwinned = isTwinned
    }
}

/// A rank's share of a global batch: the real tokens of all sequences one after another, without padding, in slices.
///
/// Units are what a loss is computed for: a sequence with its label, or a ranking query with the sequences of all its candidates.
/// It is filled anew for each step and allocates nothing then.
public final class PackedBatch {
    /// What fits.
    public let capacity: BatchCapacity
    /// The tree over the slices of the global batch.
    public let tree: SliceTree
    private let treeWithoutSums: SliceTree

    /// Word-piece numbers [tokens].
    public let tokens: UnsafeMutablePointer<Int32>
    /// Segment numbers, 0 or 1 [tokens].
    public let segments: UnsafeMutablePointer<UInt8>
    /// The class of each token for heads that label tokens, negative where a token has none; for spans 1 at the answer's start and 2 at its end, added up,
    /// besides higher bits that training does not read [tokens].
    public let tokenLabels: UnsafeMutablePointer<Int32>
    /// What the random numbers of a token's row depend on; `row` is also the token's position [tokens].
    let tokenIdentities: UnsafeMutablePointer<RowIdentity>
    /// The same for rows that stand for whole sequences [sequences].
    let sequenceIdentities: UnsafeMutablePointer<RowIdentity>
    /// First token of each sequence, and the number of tokens [sequences + 1].
    let sequenceStarts: UnsafeMutablePointer<Int>
    /// First sequence of each unit, and the number of sequences [units + 1].
    let unitStarts: UnsafeMutablePointer<Int>
    /// Class, score, or place of the positive candidate [units].
    public let labels: UnsafeMutablePointer<Float>
    /// The loss of each unit, written by the head [units].
    public let losses: UnsafeMutablePointer<Double>
    private let softLabels: UnsafeMutablePointer<Float>
    /// Where the tokens are that heads for masked words read: the first of each sequence, then its masked ones [sequences + masked].
    let chosenTokens: UnsafeMutablePointer<Int>
    /// What the random numbers of those tokens' rows depend on [sequences + masked].
    let chosenIdentities: UnsafeMutablePointer<RowIdentity>
    /// The word pieces that stood where masked tokens stand now [masked].
    let maskedTargets: UnsafeMutablePointer<Int32>
    /// The first masked token of each sequence, and their number [sequences + 1].
    private let maskedStarts: UnsafeMutablePointer<Int>
    private let tokenBounds, sequenceBounds, unitBounds, maskedBounds, chosenBounds: UnsafeMutablePointer<Int>
    private let workspace = Workspace()

    /// Number of tokens.
    public private(set) var tokenCount = 0
    /// Number of sequences.
    public private(set) var sequenceCount = 0
    /// Number of units.
    public private(set) var unitCount = 0
    /// Number of masked tokens.
    public private(set) var maskedCount = 0
    private var closedSlices = 0
    private var softLabelsPerSequence = 0

    /// What the gradient of each unit's loss is multiplied by: the task's loss weight over the number of units of the global batch, or of its
    /// labelled tokens.
    public var unitWeight: Float = 1
    /// What the loss of a masked token counts for in its unit's loss: the units of the global batch over its masked tokens, so that the sum over
    /// units divided by their number is the mean over masked tokens.
    public var maskedShare = 1.0
    /// The step's random numbers; nil in evaluation, where nothing is dropped.
    public var random: RandomStep?
    /// How the soft labels of the batch enter its losses; nil where it has none.
    public var distillation: Distillation?
    /// How the sequences are perturbed; nil where they have no twins.
    public var perturbation: Perturbation?
    /// Whether backward is for the noise of twins alone, so that no parameter gets a gradient.
    var isClimbing = false

    /// An empty batch in the slices of `tree` that are this rank's.
    public init(capacity: BatchCapacity, tree: SliceTree) {
        self.capacity = capacity
        self.tree = tree
        treeWithoutSums = SliceTree(withoutSums: tree)
        let slices = tree.local.count
        tokens = workspace.array(Int32.self, capacity.tokens)
        segments = workspace.array(UInt8.self, capacity.tokens)
        tokenLabels = workspace.array(Int32.self, capacity.tokens)
        tokenIdentities = workspace.array(RowIdentity.self, capacity.tokens)
        sequenceIdentities = workspace.array(RowIdentity.self, capacity.sequences)
        sequenceStarts = workspace.array(Int.self, capacity.sequences + 1)
        unitStarts = workspace.array(Int.self, capacity.sequences + 1)
        labels = workspace.array(Float.self, capacity.sequences)
        losses = workspace.array(Double.self, capacity.sequences)
        chosenTokens = workspace.array(Int.self, capacity.sequences + capacity.maskedTokens)
        chosenIdentities = workspace.array(RowIdentity.self, capacity.sequences + capacity.maskedTokens)
        maskedTargets = workspace.array(Int32.self, capacity.maskedTokens)
        maskedStarts = workspace.array(Int.self, capacity.sequences + 1)
        maskedBounds = workspace.array(Int.self, slices + 1)
        chosenBounds = workspace.array(Int.self, slices + 1)
        softLabels = workspace.array(Float.self, capacity.sequences * capacity.softLabels)
        tokenBounds = workspace.array(Int.self, slices + 1)
        sequenceBounds = workspace.array(Int.self, slices + 1)
        unitBounds = workspace.array(Int.self, slices + 1)
        clear()
    }

    /// Slices of rows that stand for tokens.
    var tokenSlices: RowSlices { RowSlices(summedTree, bounds: tokenBounds) }
    /// Slices of rows that stand for sequences.
    var sequenceSlices: RowSlices { RowSlices(summedTree, bounds: sequenceBounds) }
    /// Slices of rows that stand for masked tokens.
    var maskedSlices: RowSlices { RowSlices(summedTree, bounds: maskedBounds) }
    /// Slices of rows that stand for first tokens and masked tokens.
    var chosenSlices: RowSlices { RowSlices(summedTree, bounds: chosenBounds) }
    /// The masked tokens of sequence `index`, counted over all sequences.
    func maskedTokens(of index: Int) -> Range<Int> { maskedStarts[index]..<maskedStarts[index + 1] }
    private var summedTree: SliceTree { isClimbing ? treeWithoutSums : tree }
    /// The units of slice `index`, counted from the rank's first.
    public func units(ofSlice index: Int) -> Range<Int> { unitBounds[index]..<unitBounds[index + 1] }
    /// The tokens of sequence `index`.
    public func tokens(of index: Int) -> Range<Int> { sequenceStarts[index]..<sequenceStarts[index + 1] }
    /// The soft labels of sequence `index`, followed by those of the next ones.
    public func softLabels(from index: Int) -> UnsafePointer<Float> {
        UnsafePointer(softLabels + index * softLabelsPerSequence)
    }
    /// The sequences of unit `index`, without their twins.
    public func sequences(ofUnit index: Int) -> Range<Int> {
        perturbation == nil ? unitStarts[index]..<unitStarts[index + 1] : unitStarts[index]..<firstTwin(ofUnit: index)
    }
    /// The twins of the sequences of unit `index`, in the same order.
    func twins(ofUnit index: Int) -> Range<Int> { firstTwin(ofUnit: index)..<unitStarts[index + 1] }
    /// The tokens of those.
    func tokens(ofTwinsOf unit: Int) -> Range<Int> {
        sequenceStarts[firstTwin(ofUnit: unit)]..<sequenceStarts[unitStarts[unit + 1]]
    }
    /// A unit has its sequences first, then as many twins.
    private func firstTwin(ofUnit index: Int) -> Int { (unitStarts[index] + unitStarts[index + 1]) / 2 }

    /// Empties the batch.
    public func clear() {
        tokenCount = 0
        sequenceCount = 0
        unitCount = 0
        closedSlices = 0
        sequenceStarts[0] = 0
        unitStarts[0] = 0
        tokenBounds[0] = 0
        sequenceBounds[0] = 0
        unitBounds[0] = 0
        maskedCount = 0
        maskedStarts[0] = 0
        maskedBounds[0] = 0
        chosenBounds[0] = 0
    }

    /// Adds a sequence to the unit that is being put together.
    /// - Parameters:
    ///   - newLabels: the classes of its tokens, for heads that label tokens; empty for others.
    ///   - newSoftLabels: its scores by a teacher, as many as the task has outputs; empty where nothing is distilled.
    ///   - number: its number in the global batch, which its random numbers depend on.
    public func append(
        tokens new: UnsafeBufferPointer<Int32>, segments newSegments: UnsafeBufferPointer<UInt8>,
        labels newLabels: UnsafeBufferPointer<Int32> = .init(start: nil, count: 0),
        softLabels newSoftLabels: UnsafeBufferPointer<Float> = .init(start: nil, count: 0), number: Int
    ) {
        precondition(
            tokenCount + new.count <= capacity.tokens && sequenceCount < capacity.sequences
                && new.count <= capacity.longest && newSegments.count == new.count && !new.isEmpty
                && (newLabels.isEmpty || newLabels.count == new.count) && newSoftLabels.count <= capacity.softLabels,
            "a sequence of \(new.count) tokens does not fit the batch")
        for index in 0..<new.count {
            tokens[tokenCount + index] = new[index]
            segments[tokenCount + index] = newSegments[index]
            tokenIdentities[tokenCount + index] = RowIdentity(example: UInt32(number), row: UInt32(index))
        }
        for index in newLabels.indices { tokenLabels[tokenCount + index] = newLabels[index] }
        softLabelsPerSequence = newSoftLabels.count
        for index in newSoftLabels.indices {
            softLabels[sequenceCount * newSoftLabels.count + index] = newSoftLabels[index]
        }
        sequenceIdentities[sequenceCount] = RowIdentity(example: UInt32(number), row: 0)
        chosenTokens[sequenceCount + maskedCount] = tokenCount
        chosenIdentities[sequenceCount + maskedCount] = sequenceIdentities[sequenceCount]
        tokenCount += new.count
        sequenceCount += 1
        sequenceStarts[sequenceCount] = tokenCount
        maskedStarts[sequenceCount] = maskedCount
    }

    /// Puts another word piece in place of a token of the sequence that was appended last, for a head to tell what stood there. Of a sequence they are
    /// masked in rising order, and never the first.
    public func mask(_ position: Int, by piece: Int32) {
        precondition(maskedCount < capacity.maskedTokens, "one masked token more than the batch has room for")
        let token = sequenceStarts[sequenceCount - 1] + position
        let place = sequenceCount + maskedCount
        precondition(chosenTokens[place - 1] < token && token < tokenCount, "masked tokens are not in order")
        maskedTargets[maskedCount] = tokens[token]
        tokens[token] = piece
        chosenTokens[place] = token
        chosenIdentities[place] = tokenIdentities[token]
        maskedCount += 1
        maskedStarts[sequenceCount] = maskedCount
    }

    /// Ends a unit.
    public func endUnit(label: Float) {
        labels[unitCount] = label
        unitCount += 1
        unitStarts[unitCount] = sequenceCount
    }

    /// Ends a slice; every local slice is ended once, also when it is empty.
    public func endSlice() {
        closedSlices += 1
        precondition(closedSlices <= tree.local.count, "more slices were ended than this rank holds")
        tokenBounds[closedSlices] = tokenCount
        sequenceBounds[closedSlices] = sequenceCount
        unitBounds[closedSlices] = unitCount
        maskedBounds[closedSlices] = maskedCount
        chosenBounds[closedSlices] = sequenceCount + maskedCount
    }
}
