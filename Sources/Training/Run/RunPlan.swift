import Communication
import Kernels
import Model

/// What a run will do, computed before memory is allocated: steps, shares, and how much a batch holds at most.
package struct RunPlan {
    let sampler: Sampler
    let assembly: BatchAssembly
    let stepCount: Int
    let shares: RankShares
    /// The tree over each part of this rank's slices.
    package let trees: [SliceTree]
    /// Room for the largest part of a share of any step, and for any evaluation batch.
    package let capacity: BatchCapacity
    /// Most word pieces that a global batch touches.
    package let touchedWords: Int

    package init(
        _ settings: RunSettings, _ tasks: [PreparedTask], sizes: EncoderSizes, rank: Int, rankCount: Int
    ) throws {
        let partCount = settings.gradientAccumulation
        let sliceCount = try settings.sliceCount(ranks: rankCount)
        guard settings.patience == 0 || tasks.contains(where: { !$0.developments.isEmpty }) else {
            throw TrainingError(
                "`patience` is \(settings.patience), and none of the tasks has a development split whose score could become better; "
                    + "give one of them a split, or set `patience: 0`")
        }
        sampler = Sampler(
            tasks: tasks.map { $0.samplerTask(settings) }, mixture: settings.taskMixture,
            last: settings.sampler.last.flatMap(settings.train.firstIndex(of:)), epochCount: settings.epochs,
            seed: settings.seed)
        assembly = try BatchAssembly(tasks, sampler, seed: settings.seed, sliceCount: sliceCount, smart: settings.smart)
        stepCount = sampler.stepsPerEpoch * settings.epochs
        shares = RankShares(sliceCount: sliceCount, rankCount: rankCount, partCount: partCount)
        let decodesWords = tasks.contains { $0.masking != nil }
        let outputs = tasks.map(\.definition.outputCount).max() ?? 0
        let largestRow = max(
            sizes.hiddenSize * 4, sizes.intermediateSize, outputs, decodesWords ? sizes.vocabularySize : 0)
        trees = shares.trees(ofRank: rank, panelCapacity: max(65_536, largestRow))
        let training = assembly.capacity(steps: 0..<stepCount, parts: shares.parts[rank])
        touchedWords = decodesWords ? sizes.vocabularySize : min(sizes.vocabularySize, training.globalTokens)
        var capacity = training.part
        for task in tasks {
            for (_, file) in task.developments {
                let evaluation = EvaluationBatches(file, sequenceCount: settings.evaluationBatchSize)
                    .capacity(masked: task.mostMasked(of: file))
                capacity.tokens = max(capacity.tokens, evaluation.tokens)
                capacity.sequences = max(capacity.sequences, evaluation.sequences)
                capacity.longest = max(capacity.longest, evaluation.longest)
                capacity.maskedTokens = max(capacity.maskedTokens, evaluation.maskedTokens)
            }
        }
        self.capacity = capacity
    }
}

extension RunSettings {
    /// The shares of tasks, which are numbered as in `train`.
    fileprivate var taskMixture: TaskMixture {
        switch sampler.kind {
        case .proportional: .proportional
        case .uniform: .uniform
        case .temperature: .temperature(sampler.temperature, cap: sampler.cap)
        case .annealed: .annealed
        case .main: .main(task: sampler.main.flatMap(train.firstIndex(of:)) ?? 0, ratio: sampler.ratio)
        }
    }
}

extension RunSettings {
    /// Slices of a global batch in a job of `rankCount` ranks; throws where they are too few for them.
    public func sliceCount(ranks rankCount: Int) throws -> Int {
        let least = rankCount * gradientAccumulation
        guard reproducible == .acrossRankCounts else { return least }
        guard least <= slices else {
            let parts = gradientAccumulation > 1 ? " with `gradient_accumulation` \(gradientAccumulation)" : ""
            throw TrainingError(
                "\(rankCount) ranks\(parts) share \(slices) slices of a batch; set `slices` to at least \(least), "
                    + "or start fewer ranks")
        }
        return slices
    }
}
