import Communication
import Foundation
import Kernels
import Model

/// One training step after another: the algorithm, in order.
package final class Trainer {
    /// What one step did.
    package struct Step {
        package var number: Int
        package var task: Int
        /// Mean loss of the global batch's units.
        package var loss: Double
        /// Norm of the gradient before clipping.
        package var gradientNorm: Double
        package var learningRate: Float
        /// What all ranks have told: the same on every rank.
        package var heard: HeardFlags

        /// Whether any rank was asked to stop: all know it at the same step.
        package var stopAsked: Bool { heard.byAny.contains(.stopAsked) }
    }

    package let model: MultiTaskModel
    package let sampler: Sampler
    package let stepCount: Int
    let learningRate: LearningRate
    /// How long each phase took on this rank.
    var clock = PhaseClock()
    /// Tokens of the last step's global batch.
    var globalTokenCount: Int { assembly.tokenCount }
    /// Tokens of all steps' global batches.
    private(set) var trainedTokenCount = 0

    let ownerships: [Ownership]
    let optimizer: Optimizer
    /// For LAMB only.
    private let trustRatios: TrustRatios?
    private let world: Communicator
    private let settings: RunSettings
    private let tasks: [PreparedTask]
    private let assembly: BatchAssembly
    /// This rank's share of the batch, one after another.
    private let parts: [PackedBatch]
    private let gradients: GradientExchange
    private let gradientNorm: GradientNorm
    private let values: ValueExchange
    let memory: HostMemory
    private let agreement: StepAgreement
    private let activeGroups: [[Bool]]
    private let activeGroupNumbers: [[Int]]
    /// How many updates each group has had.
    private var updateCounts: [Int]

    package init(
        _ world: Communicator, _ settings: RunSettings, _ tasks: [PreparedTask], _ plan: RunPlan,
        _ model: MultiTaskModel, _ memory: HostMemory
    ) {
        self.world = world
        self.settings = settings
        self.tasks = tasks
        self.model = model
        self.memory = memory
        sampler = plan.sampler
        assembly = plan.assembly
        stepCount = plan.stepCount
        learningRate = LearningRate(
            peak: Float(settings.learningRate), schedule: settings.schedule, warmup: settings.warmup,
            stepCount: plan.stepCount)
        parts = plan.trees.map { PackedBatch(capacity: plan.capacity, tree: $0) }
        let groups = model.parameters.groups
        ownerships = groups.map { Ownership($0, rankCount: world.size) }
        gradients = GradientExchange(world, model, ownerships, plan.shares, memory)
        gradientNorm = GradientNorm(world, gradients, ownerships, model.wordGradient)
        values = ValueExchange(world, model, ownerships, memory)
        agreement = StepAgreement(world, plan.shares)
        optimizer = Optimizer(
            settings.optimizer, decay: Float(settings.weightDecay), model.parameters, model.wordGradient,
            ownerships: ownerships, rank: world.rank)
        trustRatios =
            settings.optimizer == .lamb ? TrustRatios(optimizer, ownerships, rank: world.rank, of: world.size) : nil
        activeGroups = tasks.indices.map { head in
            groups.indices.map { model.isActive(group: $0, forHead: head) }
        }
        activeGroupNumbers = activeGroups.map { active in active.indices.filter { active[$0] } }
        updateCounts = groups.map { _ in 0 }
    }

    /// One update: every rank computes the gradients of its share, owners sum and apply them, all receive the new values.
    /// - Parameter flags: what this rank tells all others, besides whether it was asked to stop.
    package func step(_ number: Int, telling flags: StepFlags = []) throws -> Step {
        RankPosition.begin(step: number + 1)
        clock.enter(.sample)
        let task = assembly.assemble(step: number, into: parts, words: model.wordGradient)
        let active = activeGroups[task]
        trainedTokenCount += assembly.tokenCount

        clock.enter(.gather)
        try values.gatherTouchedWords()

        for part in parts {
            clock.enter(.forward)
            model.perturb(part, head: task)
            _ = model.forward(part, head: task)
            clock.enter(.backward)
            model.backward(part, head: task)
        }

        clock.enter(.exchange)
        let (lossSum, heard) = try agreement.reach(
            parts, telling: StopRequest.isAsked ? flags.union(.stopAsked) : flags)
        let loss = lossSum / Double(assembly.lossCount)
        try gradients.exchange(activeGroups: active)
        let norm = try gradientNorm.compute(activeGroups: active)
        guard loss.isFinite, norm.isFinite else { throw notFinite(number, task, loss, norm) }

        clock.enter(.update)
        let rate = learningRate.at(number)
        let scale = clippingScale(norm)
        for group in 0..<active.count where active[group] {
            updateCounts[group] += 1
            optimizer.update(
                group: group, gradient: gradients.ownedSegment(group), scale: scale, rate: rate,
                step: updateCounts[group])
        }
        try trustRatios?.move(groups: activeGroupNumbers[task], rate: rate, steps: updateCounts, world)

        clock.enter(.gather)
        try values.gather(groups: activeGroupNumbers[task].lazy.filter { $0 != ParameterGroup.wordEmbeddings })
        clock.stop()
        return Step(
            number: number, task: task, loss: loss, gradientNorm: norm, learningRate: rate, heard: heard)
    }

    /// Takes up the position after `step` steps, whose values and moments have been loaded.
    func resume(at step: Int) {
        optimizer.findIdleWords()
        let counts = sampler.stepCounts(before: step)
        for group in updateCounts.indices {
            updateCounts[group] = counts.indices.reduce(0) { $0 + (activeGroups[$1][group] ? counts[$1] : 0) }
        }
    }

    /// What this rank's memory goes to.
    var memoryPlan: MemoryPlan {
        MemoryPlan(parts: [
            ("values", memory.valueByteShare), ("gradients", memory.gradientByteCount),
            ("activations", model.workspaceByteCount), ("moments", optimizer.byteCount),
            ("messages", gradients.byteCount),
            ("copy for checkpoints", ShardStaging.byteCount(optimizer)),
        ])
    }

    /// Bytes of the gradient of the last step, which was one of `task`: of word embeddings, those of the rows that its batch touched.
    func gradientByteCount(task: Int) -> Int {
        let words = 4 * model.wordGradient.count * model.wordGradient.columns
        return (1..<ownerships.count).reduce(words) {
            $0 + (activeGroups[task][$1] ? 4 * ownerships[$1].group.range.count : 0)
        }
    }

    /// Bytes of gradients and of values that this rank has taken from others so far, out of their memory or by messages.
    package var exchangedByteCounts: (gradients: Int, values: Int) {
        (gradients.takenByteCount, values.receivedByteCount)
    }

    /// Exchanges the gradients of the last step once more, which spoils them: for a benchmark of the exchange by itself.
    func exchangeAgain(task: Int) throws { try gradients.exchange(activeGroups: activeGroups[task]) }

    /// Brings all word embeddings up to date on every rank: during training only those that a batch reads are.
    package func gatherAllWords() throws { try values.gather(groups: [ParameterGroup.wordEmbeddings]) }

    /// Sums over all weights and moments, on the first rank; nil on the others. Follows `gatherAllWords`.
    package func digest() throws -> WeightsDigest? {
        try WeightsDigest(world, model.parameters, optimizer, ownerships)
    }

    /// min(1, bound / norm), as torch's `clip_grad_norm_`.
    private func clippingScale(_ norm: Double) -> Float {
        guard settings.gradientClip > 0 else { return 1 }
        return Float(min(1, settings.gradientClip / (norm + 1e-6)))
    }

    /// All ranks have the same loss and norm, so all stop here, before any of them changes a weight.
    private func notFinite(_ number: Int, _ task: Int, _ loss: Double, _ norm: Double) -> SharedError {
        let uids = assembly.uids(step: number).joined(separator: ", ")
        return SharedError(
            "step \(number + 1): the loss of task \(tasks[task].definition.name) is \(loss) and the gradient norm \(norm); "
                + "no update was made; examples \(uids); lower `learning_rate`, or look at these examples",
            exitCode: JobExit.notFinite)
    }
}
