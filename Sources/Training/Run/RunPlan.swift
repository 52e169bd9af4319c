import Communication
import Kernels
import Model

/// What a run will do, computed before memory is allocated: steps, shares, and how much a batch holds at most.
package struct RunPlan {
    let sampler: Sampler
    let assembly: BatchAssembly
    let stepCount: Int
    let shares: RankShares
    package let tree: SliceTree
    /// Room for the largest share of any step and for any evaluation batch.
    package let capacity: BatchCapacity
    /// Most word pieces that a global batch touches.
    package let touchedWords: Int

    package init(
        _ settings: RunSettings, _ tasks: [PreparedTask], sizes: EncoderSizes, rank: Int, rankCount: Int
    ) throws {
        let sliceCount = settings.reproducible == .acrossRankCounts ? settings.slices : rankCount
        guard rankCount <= sliceCount else {
            throw TrainingError(
                "\(rankCount) ranks share \(sliceCount) slices of a batch; set `slices` to at least \(rankCount), "
                    + "or start fewer ranks")
        }
        sampler = Sampler(
            tasks: tasks.map { $0.samplerTask(settings) }, mixture: settings.taskMixture,
            last: settings.sampler.last.flatMap(settings.train.firstIndex(of:)), epochCount: settings.epochs,
            seed: settings.seed)
        assembly = BatchAssembly(tasks, sampler, seed: settings.seed, sliceCount: sliceCount)
        stepCount = sampler.stepsPerEpoch * settings.epochs
        shares = RankShares(sliceCount: sliceCount, rankCount: rankCount)
        let largestRow = max(sizes.hiddenSize * 4, sizes.intermediateSize)
        tree = SliceTree(
            sliceCount: sliceCount, local: shares.runs[rank], panelCapacity: max(65_536, largestRow))
        let training = assembly.capacity(steps: 0..<stepCount, local: shares.runs[rank])
        touchedWords = min(sizes.vocabularySize, training.globalTokens)
        var capacity = training.share
        for task in tasks {
            for (_, file) in task.developments {
                let evaluation = EvaluationBatches(file, sequenceCount: settings.evaluationBatchSize).capacity
                capacity.tokens = max(capacity.tokens, evaluation.tokens)
                capacity.sequences = max(capacity.sequences, evaluation.sequences)
                capacity.longest = max(capacity.longest, evaluation.longest)
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
