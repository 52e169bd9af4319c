import Kernels
import Model

/// Puts together the batch of each step: which rows, which slices, the parts of this rank's share.
///
/// Every rank computes the plan of the whole global batch and copies the tokens of its own slices only.
final class BatchAssembly {
    private let tasks: [PreparedTask]
    /// For each task how it learns from soft labels; nil where it has none.
    private let distillations: [Distillation?]
    /// For each task how its sequences are perturbed; nil where they are not.
    private let perturbations: [Perturbation?]
    private let sampler: Sampler
    private let seed: UInt64
    private let sliceCount: Int
    private var plan: SlicePlan
    /// Tokens of the batch that was arranged last.
    private(set) var tokenCount = 0
    /// What the losses of that batch are divided by: its examples, or its labelled tokens.
    private(set) var lossCount = 0
    private var sequenceCount = 0
    private var rows: [Int] = []
    private var sequenceNumbers: [Int] = []

    /// - Parameter sliceCount: slices of a global batch.
    /// - Parameter smart: how sequences are perturbed; nil where they are not.
    init(
        _ tasks: [PreparedTask], _ sampler: Sampler, seed: UInt64, sliceCount: Int, smart: SmartSettings? = nil
    ) throws {
        self.tasks = tasks
        perturbations = try tasks.map { task in try smart.map { try task.definition.perturbation($0) } }
        distillations = try tasks.map { try $0.distillation() }
        self.sampler = sampler
        self.seed = seed
        self.sliceCount = sliceCount
        let capacity = sampler.tasks.map { min($0.batchSize, $0.exampleCount) }.max() ?? 0
        plan = SlicePlan(sliceCount: sliceCount, capacity: capacity)
        rows.reserveCapacity(capacity)
        sequenceNumbers.reserveCapacity(capacity)
    }

    /// Fills the parts of this rank's share with their slices of a step's batch, and lists the word embeddings that the whole batch touches.
    /// - Returns: the number of the task.
    func assemble(step: Int, into parts: [PackedBatch], words: WordGradient) -> Int {
        let batch = arrange(step: step)
        let task = tasks[batch.task]
        let random = RandomStep(seed: seed, step: step)
        let maskedShare = maskedShare(task, random)
        let distillation = distillations[batch.task], perturbation = perturbations[batch.task]
        touch(words, task)
        for part in parts {
            part.clear()
            for slice in part.tree.local {
                for place in plan.slice(slice) {
                    // Twins have numbers of their own, so other things are dropped for them.
                    let number = sequenceNumbers[place]
                    task.append(
                        rows[place], of: task.train, to: part, number: number,
                        twins: perturbation == nil ? nil : sequenceCount + number, distils: distillation != nil, random)
                }
                part.endSlice()
            }
            part.distillation = distillation
            part.perturbation = perturbation
            part.unitWeight = Float(task.definition.lossWeight / Double(lossCount))
            part.maskedShare = maskedShare
            part.random = random
        }
        return batch.task
    }

    /// Lists the word embeddings that the batch reads: all of them where word pieces are told from masked ones.
    private func touch(_ words: WordGradient, _ task: PreparedTask) {
        words.clear()
        if task.masking != nil {
            words.touchAll()
        } else {
            for row in rows {
                for sequence in task.train.sequences(of: row) { words.touch(task.train.tokens(of: sequence)) }
            }
        }
        words.finish()
    }

    /// The batch's examples over its masked tokens, those of all ranks.
    private func maskedShare(_ task: PreparedTask, _ random: RandomStep) -> Double {
        guard let masking = task.masking else { return 1 }
        var count = 0
        for place in rows.indices {
            for sequence in task.train.sequences(of: rows[place]) {
                count += masking.draw(task.train.tokens(of: sequence), random, number: sequenceNumbers[place]).count
            }
        }
        return count > 0 ? Double(rows.count) / Double(count) : 0
    }

    /// The names of a step's examples, for messages.
    func uids(step: Int) -> [String] {
        let task = arrange(step: step).task
        return rows.map { tasks[task].train.uid(of: $0) }
    }

    /// What the batches of `steps` need at most: one of these parts of theirs, and the tokens of a whole one.
    func capacity(steps: Range<Int>, parts: [Range<Int>]) -> (part: BatchCapacity, globalTokens: Int) {
        let mostSlices = parts.reduce(0) { max($0, $1.count) }
        var part = BatchCapacity(tokens: 0, sequences: 0, longest: tasks.reduce(0) { max($0, $1.train.longest) })
        for (task, distillation) in zip(tasks, distillations) where distillation != nil {
            part.softLabels = max(part.softLabels, task.definition.outputCount)
        }
        part.isTwinned = perturbations.contains { $0 != nil }
        // A run has twins of all sequences or of none.
        let copies = part.isTwinned ? 2 : 1
        var globalTokens = 0
        let maskedCounts = tasks.map { $0.mostMasked(of: $0.train) }
        for step in steps {
            let batch = lookUp(step: step)
            let file = tasks[batch.task].train
            globalTokens = max(globalTokens, tokenCount)
            part.sequences = max(part.sequences, copies * sequenceCount)
            let masked = maskedCounts[batch.task]
            // No slice holds more than an even share and one example: most batches need no plan to be known as smaller.
            let longest = rows.reduce(0) { max($0, file.tokenCount(of: $1)) }
            let bound = min(tokenCount, mostSlices * (tokenCount / sliceCount + 1 + longest))
            guard masked != nil || copies * bound > part.tokens else { continue }
            plan.arrange(count: rows.count) { file.tokenCount(of: rows[$0]) }
            for slices in parts {
                let tokens = slices.reduce(0) { sum, slice in
                    sum + plan.slice(slice).reduce(0) { $0 + file.tokenCount(of: rows[$1]) }
                }
                part.tokens = max(part.tokens, copies * tokens)
                guard let masked else { continue }
                let maskedTokens = slices.reduce(0) { $0 + plan.slice($1).reduce(0) { $0 + masked[rows[$1]] } }
                part.maskedTokens = max(part.maskedTokens, maskedTokens)
            }
        }
        part.trainedMaskedTokens = part.maskedTokens
        return (part, globalTokens)
    }

    /// Looks up the rows of a step and plans their slices.
    private func arrange(step: Int) -> Sampler.Batch {
        let batch = lookUp(step: step)
        let file = tasks[batch.task].train
        plan.arrange(count: rows.count) { file.tokenCount(of: rows[$0]) }
        return batch
    }

    /// Looks up the rows of a step.
    private func lookUp(step: Int) -> Sampler.Batch {
        let batch = sampler.batch(at: step)
        let file = tasks[batch.task].train
        rows.removeAll(keepingCapacity: true)
        sequenceNumbers.removeAll(keepingCapacity: true)
        tokenCount = 0
        sequenceCount = 0
        lossCount = 0
        let countsTokens = tasks[batch.task].definition.labelsWords
        for place in 0..<batch.count {
            let row = batch[place]
            rows.append(row)
            tokenCount += file.tokenCount(of: row)
            sequenceNumbers.append(sequenceCount)
            sequenceCount += file.sequences(of: row).count
            lossCount += countsTokens ? Int(file.labels[row]) : 1
        }
        return batch
    }
}
