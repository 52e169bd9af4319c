import Communication
import Data
import Foundation
import Kernels
import Model
import Storage

/// A whole training job as one rank sees it: prepare, build, train, evaluate, report.
public struct TrainingRun {
    let settings: RunSettings
    let world: Communicator
    private let progressStyle: ProgressLine.Style
    /// Receives a sentence for each token file that is made.
    var say: (String) -> Void = StandardStream.output.say
    private let isSupervised: Bool
    /// Whether this rank speaks for all.
    var isFirst: Bool { world.rank == 0 }

    /// A run with `settings` by all ranks of `world`.
    /// - Parameters:
    ///   - progress: `live`, `lines` or `none`.
    ///   - isSupervised: whether `mtdnn` started the job: it holds the run folder's lock, and the job stops when it is gone.
    public init(
        _ settings: RunSettings, world: Communicator, progress: String = "lines", isSupervised: Bool = false
    ) throws {
        self.settings = settings
        self.isSupervised = isSupervised
        self.world = world
        guard let style = ProgressLine.Style(rawValue: progress) else {
            throw TrainingError("--progress is \(progress); it must be live, lines or none")
        }
        progressStyle = style
    }

    /// What a run is made of once its data are prepared.
    package struct Parts {
        package let trainer: Trainer
        let evaluator: Evaluator
        let tasks: [PreparedTask]
        let plan: RunPlan
        let files: EncoderFiles
        /// A sentence for each thing that a user might not expect.
        let notes: [String]
        /// The paths of all that is read in training and evaluation.
        package var tokenFiles: [String] { tasks.flatMap { [$0.train.path] + $0.developments.map(\.file.path) } }
    }

    /// How a run ended.
    public enum Outcome: Sendable {
        /// After its last step.
        case finished
        /// After a checkpoint, because it was asked to; the same command goes on from there.
        case stopped

        /// The exit code that says so.
        public var exitCode: Int32 { self == .finished ? 0 : JobExit.stopped }
    }

    /// Trains to the end, or until it is asked to stop.
    public func run() throws -> Outcome { try ThreadTeam.with(threads: settings.threads) { try runByTeam() } }

    private func runByTeam() throws -> Outcome {
        let lock = try JobLock(world, settings, isSupervised: isSupervised)
        let comparison = try RankComparison(world)
        try comparison.requireSameProgram(settings)
        let watch = try StallWatch(world, settings)
        let outcome = try RankPosition.located { try prepareAndTrain(comparison) }
        try watch.end(world)
        try lock.release()
        return outcome
    }

    private func prepareAndTrain(_ comparison: RankComparison) throws -> Outcome {
        try world.byFirst { try settings.requireResumableFolder() }
        let parts = try build()
        // Later the first step takes notice.
        try world.agree { try StopRequest.endBeforeTraining() }
        try comparison.requireSameData(parts.tokenFiles)
        let (trainer, plan) = (parts.trainer, parts.plan)
        var notes = parts.notes
        let origin = try checkpointOrigin(parts)
        let restored = try restore(trainer, origin, &notes)
        let start = restored ?? 0
        try comparison.requireSameWeights(trainer.model.parameters)
        trainer.resume(at: start)
        let report = try world.agree {
            try RunReport(settings, isFirst: isFirst, start: start, epochs: start / plan.sampler.stepsPerEpoch)
        }
        notes.forEach(report.say)
        report.say(
            "\(counted(parts.tasks.count, "task")), \(counted(plan.sampler.stepsPerEpoch, "step")) an epoch, "
                + "\(counted(settings.epochs, "epoch")), \(counted(world.size, "rank")), "
                + "\(counted(plan.shares.sliceCount, "slice")), \(trainer.model.parameters.count) parameters, "
                + "\(byteText(trainer.memoryPlan.total)) for values, gradients, moments and activations of rank 0"
        )
        let earlyStop = EarlyStop(patience: settings.patience, scores: try scoresSoFar())
        guard start < trainer.stepCount, !earlyStop.isDue else {
            // The log's last line goes whenever a run goes on, and is written again at the end.
            try report.write(trainer.digest(), step: start)
            report.say(
                "the run in \(settings.folder) is finished"
                    + (earlyStop.isDue ? ", early" : "; more `epochs` would go on with it"))
            return .finished
        }
        if start > 0 { report.say("goes on from the checkpoint of step \(start)") }
        let checkpoints = makeStore(trainer, origin, report)
        let (outcome, end) = try train(
            from: start, trainer, parts.evaluator, checkpoints, earlyStop, parts.tasks, report)
        guard outcome == .finished else { return outcome }
        try report.write(trainer.digest(), step: end)
        try report.end(world, trainer, step: end)
        return .finished
    }

    /// The mean scores that the log holds, the same on all ranks.
    private func scoresSoFar() throws -> [Double] {
        try world.fromFirst { try settings.history().meanScores.map(\.score) }
    }

    /// Prepares data, lays out the model, and gives it its first values.
    /// - Parameter ranksPerHost: takes as many neighbours for the ranks of one host, so that a test can have several hosts.
    package func build(ranksPerHost: Int? = nil) throws -> Parts {
        let files = try world.agree { try EncoderFiles(settings) }
        let tasks = try openTasks(files)
        let plan = try world.agree {
            try RunPlan(settings, tasks, sizes: files.sizes, rank: world.rank, rankCount: world.size)
        }
        let host = try ranksPerHost.map { try world.split(by: world.rank / $0) } ?? world.hostCommunicator()
        let (model, memory) = try HostMemory.makeModel(
            world, host: host, encoder: files.sizes, heads: tasks.map { $0.head(settings) },
            dropout: settings.dropout, recomputes: settings.recomputes, plan)
        let trainer = Trainer(world, settings, tasks, plan, model, memory)
        try trainer.memoryPlan.require(world, host: host, settings)
        var notes = try world.agree { memory.isFirstOfHost ? try files.initialize(model) : [] }
        try memory.synchronize()
        notes += tasks.compactMap { $0.fractionNote(settings) } + tasks.compactMap(\.distillationNote)
        let processors = ProcessInfo.processInfo.activeProcessorCount
        if settings.threads > processors {
            notes.append(
                "\(settings.threads) threads of rank 0 share \(counted(processors, "processor")): start with `mtdnn train`, or "
                    + "with `mpirun --map-by slot:PE=\(settings.threads)`, or lower `threads`")
        }
        if !memory.isShared {
            notes.append(
                "the shared memory of \(world.hostName) (/dev/shm) is too small for its ranks: they exchange messages instead, which is slower"
            )
        }
        let evaluator = Evaluator(
            world, trainer.model, capacity: plan.capacity, batchSize: settings.evaluationBatchSize)
        return Parts(trainer: trainer, evaluator: evaluator, tasks: tasks, plan: plan, files: files, notes: notes)
    }

    /// Takes the steps; returns how it ended, and after which step.
    private func train(
        from start: Int, _ trainer: Trainer, _ evaluator: Evaluator, _ checkpoints: CheckpointStore,
        _ earlyStop: EarlyStop, _ tasks: [PreparedTask], _ report: RunReport
    ) throws -> (Outcome, step: Int) {
        var earlyStop = earlyStop
        let stepsPerEpoch = trainer.sampler.stepsPerEpoch
        var progress = ProgressLine(isFirst ? progressStyle : .none, steps: start..<trainer.stepCount)
        for number in start..<trainer.stepCount {
            let step = try trainer.step(number, telling: checkpoints.flags)
            trainer.clock.enter(.commit)
            try checkpoints.advance(step.heard)
            trainer.clock.enter(.log)
            let task = tasks[step.task].definition.name
            try report.write(step, task: task, epoch: number / stepsPerEpoch + 1)
            progress.note(step: number, task: task, loss: step.loss, tokens: trainer.globalTokenCount)
            let done = number + 1
            let epochEnds = done.isMultiple(of: stepsPerEpoch)
            if epochEnds || step.stopAsked { progress.clear() }
            let score = epochEnds ? try evaluate(trainer, evaluator, tasks, report, step: done) : nil
            if epochEnds || step.stopAsked
                || settings.checkpointSteps > 0 && done.isMultiple(of: settings.checkpointSteps)
            {
                trainer.clock.enter(.checkpoint)
                try checkpoints.begin(step: done, score: score)
            }
            if step.stopAsked, done < trainer.stepCount {
                trainer.clock.enter(.commit)
                try checkpoints.finish(step: done)
                report.say("stopped after step \(done), as asked; the same command goes on from there")
                return (.stopped, done)
            }
            if epochEnds { earlyStop.note(score) }
            if earlyStop.isDue, done < trainer.stepCount {
                trainer.clock.enter(.commit)
                try checkpoints.finish(step: done)
                report.say(
                    "ends after step \(done): no better mean score in \(counted(settings.patience, "epoch"))"
                )
                return (.finished, done)
            }
        }
        trainer.clock.enter(.commit)
        try checkpoints.finish(step: trainer.stepCount)
        return (.finished, trainer.stepCount)
    }

    /// Scores all development sets; returns the mean of the tasks' first metrics.
    private func evaluate(
        _ trainer: Trainer, _ evaluator: Evaluator, _ tasks: [PreparedTask], _ report: RunReport, step: Int
    ) throws -> Double? {
        trainer.clock.enter(.evaluate)
        try trainer.gatherAllWords()
        var rows: [RunReport.Evaluation] = []
        for (head, task) in tasks.enumerated() {
            for (split, file) in task.developments {
                let predictions = try evaluator.predictions(task: task, head: head, file: file)
                let row = RunReport.Evaluation(task.definition, split: split, predictions)
                // All ranks have the same scores. The last step's loss was finite, and what its update made of the weights need not be.
                guard predictions.allSatisfy({ $0.scores.allSatisfy(\.isFinite) }),
                    row.scores.allSatisfy(\.value.isFinite)
                else {
                    throw SharedError(
                        "step \(step): task \(task.definition.name) has scores on \(split) that are no finite numbers: lower `learning_rate`",
                        exitCode: JobExit.notFinite)
                }
                rows.append(row)
            }
        }
        try report.write(rows, step: step, epoch: step / trainer.sampler.stepsPerEpoch)
        return RunReport.Evaluation.meanScore(rows)
    }

    /// Tokenises what is not yet, on the first rank, and opens the files on all.
    private func openTasks(_ files: EncoderFiles) throws -> [PreparedTask] {
        let definitions = try world.agree { try settings.taskDefinitions() }
        let paths = try world.fromFirst {
            var preparation = try Preparation(settings, encoder: files)
            return try definitions.map { try preparation.prepare($0, report: say) }
        }
        return try world.agree {
            try zip(definitions, paths).map { definition, paths in
                func open(_ split: String) throws -> TokenFile {
                    try PreparedTask.open(paths[split]!, of: definition, files.sizes)
                }
                let train = try open(TaskDefinition.trainingSplit)
                let developments = try definition.developmentSplits.map { ($0, try open($0)) }
                let longest = developments.reduce(train.longest) { max($0, $1.1.longest) }
                return PreparedTask(
                    definition: definition, train: train, developments: developments,
                    masking: try files.masking(definition, longest: longest))
            }
        }
    }
}
