import Kernels
import Model

/// Puts together the batch of each step: which rows, which slices, this rank's share.
///
/// Every rank computes the plan of the whole global batch and copies the tokens of its own slices only.
final class BatchAssembly {
    private let tasks: [PreparedTask]
    private let sampler: Sampler
    private let seed: UInt64
    private var plan: SlicePlan
    /// Tokens of the batch that was arranged last.
    private(set) var tokenCount = 0
    private var rows: [Int] = []
    private var sequenceNumbers: [Int] = []

    /// - Parameter sliceCount: slices of a global batch.
    init(_ tasks: [PreparedTask], _ sampler: Sampler, seed: UInt64, sliceCount: Int) {
        self.tasks = tasks
        self.sampler = sampler
        self.seed = seed
        let capacity = sampler.tasks.map(\.batchSize).max() ?? 0
        plan = SlicePlan(sliceCount: sliceCount, capacity: capacity)
        rows.reserveCapacity(capacity)
        sequenceNumbers.reserveCapacity(capacity)
    }

    /// Fills `share` with this rank's slices of a step's batch, and lists the word embeddings that the whole batch touches.
    /// - Returns: the number of the task.
    func assemble(step: Int, into share: PackedBatch, words: WordGradient) -> Int {
        let batch = arrange(step: step)
        let file = tasks[batch.task].train
        words.clear()
        for row in rows {
            for sequence in file.sequences(of: row) { words.touch(file.tokens(of: sequence)) }
        }
        words.finish()
        share.clear()
        for slice in share.tree.local {
            for place in plan.slice(slice) { file.append(rows[place], to: share, number: sequenceNumbers[place]) }
            share.endSlice()
        }
        share.unitWeight = Float(tasks[batch.task].definition.lossWeight / Double(batch.count))
        share.random = RandomStep(seed: seed, step: step)
        return batch.task
    }

    /// The names of a step's examples, for messages.
    func uids(step: Int) -> [String] {
        let task = arrange(step: step).task
        return rows.map { tasks[task].train.uid(of: $0) }
    }

    /// What the batches of `steps` need at most: a share of theirs, and the tokens of a whole one.
    func capacity(steps: Range<Int>, local: Range<Int>) -> (share: BatchCapacity, globalTokens: Int) {
        var share = BatchCapacity(tokens: 0, sequences: 0, longest: 0)
        var globalTokens = 0
        for step in steps {
            let batch = arrange(step: step)
            let file = tasks[batch.task].train
            globalTokens = max(globalTokens, tokenCount)
            var tokens = 0
            var sequences = 0
            for slice in local {
                for place in plan.slice(slice) {
                    tokens += file.tokenCount(of: rows[place])
                    sequences += file.sequences(of: rows[place]).count
                }
            }
            share.tokens = max(share.tokens, tokens)
            share.sequences = max(share.sequences, sequences)
        }
        share.longest = tasks.reduce(0) { max($0, $1.train.longest) }
        return (share, globalTokens)
    }

    /// Looks up the rows of a step and plans their slices.
    private func arrange(step: Int) -> Sampler.Batch {
        let batch = sampler.batch(at: step)
        let file = tasks[batch.task].train
        rows.removeAll(keepingCapacity: true)
        sequenceNumbers.removeAll(keepingCapacity: true)
        tokenCount = 0
        var sequence = 0
        for place in 0..<batch.count {
            let row = batch[place]
            rows.append(row)
            tokenCount += file.tokenCount(of: row)
            sequenceNumbers.append(sequence)
            sequence += file.sequences(of: row).count
        }
        plan.arrange(count: rows.count) { file.tokenCount(of: rows[$0]) }
        return batch
    }
}
