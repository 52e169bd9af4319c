import Communication
import Foundation
import Kernels
import Model

/// Times the training steps of a run file: the same steps that training would begin with, on the same batches. The run folder is
/// not touched; token files are prepared where they are not there yet.
public struct Benchmark {
    /// Steps that run before the clock does: those with the most tokens, so that all memory has been touched by then.
    private static let warmUpCount = 2
    private let settings: RunSettings
    private let world: Communicator
    private let stepCount: Int

    /// A benchmark of the first `steps` steps by all ranks of `world`.
    public init(_ settings: RunSettings, world: Communicator, steps: Int) throws {
        guard steps > 0 else { throw TrainingError("--bench is \(steps); it must be at least 1") }
        self.settings = settings
        self.world = world
        stepCount = steps
    }

    /// Runs it; the first rank prints the report, as one line of JSON or for people, and nothing else on standard output.
    public func run(asJSON: Bool) throws { try ThreadTeam.with(threads: settings.threads) { try time(asJSON: asJSON) } }

    private func time(asJSON: Bool) throws {
        var run = try TrainingRun(settings, world: world, progress: "none")
        run.say = StandardStream.error.say
        let parts = try run.build()
        let trainer = parts.trainer
        guard stepCount <= trainer.stepCount else {
            throw SharedError(
                "\(stepCount) steps are asked for, and the run has \(trainer.stepCount); ask for fewer, or raise `epochs`"
            )
        }
        let batches = BatchList(parts, sizes: trainer.model.encoder.sizes, settings, stepCount: stepCount)
        let rates = MachineRates(world, threads: settings.threads)
        let before = try rates.sgemm()
        ProcessMemory.resetPeak()
        for step in batches.largest(Benchmark.warmUpCount) { try take(step, trainer) }
        trainer.clock = PhaseClock()
        let seconds = try (0..<stepCount).map { try time($0, trainer) }
        let memory = ProcessMemory.peak()
        let exchange = try timeExchange(trainer, task: batches.all[stepCount - 1].task, rates)
        let mine = RankFigures(
            sgemm: [before, try rates.sgemm()], memory: memory,
            checkpointCopyBytes: ShardStaging.byteCount(trainer.optimizer), exchange: exchange,
            phases: Phase.trainingPhases.map { trainer.clock.seconds($0) })
        let figures = try gather(mine)
        guard world.rank == 0 else { return }
        let report = BenchReport(
            settings, trainer, batches: batches.all, taskNames: parts.tasks.map(\.definition.name), seconds: seconds,
            threads: settings.threads, library: rates.libraryName, ranks: figures)
        StandardStream.output.say(asJSON ? try report.json : report.text)
    }

    /// One step; throws on all ranks where one of them was asked to stop.
    private func take(_ step: Int, _ trainer: Trainer) throws {
        guard try !trainer.step(step).stopAsked else {
            throw SharedError("stopped, as asked, before there were figures", exitCode: JobExit.stopped)
        }
    }

    /// Seconds of one step. All ranks leave it together but for the last gather, so the first one's clock speaks for all.
    private func time(_ step: Int, _ trainer: Trainer) throws -> Double {
        let start = monotonicNanoseconds()
        try take(step, trainer)
        return Double(monotonicNanoseconds() - start) / 1e9
    }

    /// The exchange of the last step's gradients by itself, without waiting for slower ranks, beside one pass over the same bytes.
    private func timeExchange(_ trainer: Trainer, task: Int, _ rates: MachineRates) throws -> RankFigures.Exchange {
        let bytes = trainer.gradientByteCount(task: task)
        var times: [Double] = []
        for _ in 0..<6 {
            try world.barrier()
            let start = monotonicNanoseconds()
            try trainer.exchangeAgain(task: task)
            times.append(Double(monotonicNanoseconds() - start) / 1e9)
        }
        return .init(
            bytes: bytes, seconds: Array(times.dropFirst()).median,
            passSeconds: try rates.readingAndWriting(byteCount: bytes))
    }

    private func gather(_ mine: RankFigures) throws -> [RankFigures] {
        let texts = try world.allGather(String(decoding: try JSONEncoder().encode(mine), as: UTF8.self))
        return try texts.map { try JSONDecoder().decode(RankFigures.self, from: Foundation.Data($0.utf8)) }
    }
}

/// What one rank measured.
struct RankFigures: Codable {
    /// One exchange of gradients.
    struct Exchange: Codable {
        /// Bytes of the gradients of all active groups.
        var bytes: Int
        /// Seconds of the exchange.
        var seconds: Double
        /// Seconds of reading and writing those bytes once.
        var passSeconds: Double
    }

    /// Operations per second before and after the steps.
    var sgemm: [Double]
    var memory: ProcessMemory
    /// What training needs besides: the copy from which a checkpoint is written.
    var checkpointCopyBytes: Int
    var exchange: Exchange
    /// Seconds of each phase, in the order of `Phase.trainingPhases`.
    var phases: [Double]
}

extension Phase {
    /// The phases of a step.
    static let trainingPhases: [Phase] = [.sample, .forward, .backward, .exchange, .update, .gather]
}

/// The batches of the steps that are timed.
struct BatchList {
    /// One global batch.
    struct Batch {
        var task: Int
        /// The rows of the task's training file, in the order of the sampler.
        var rows: [Int]
        var sequences: Int
        var tokens: Int
        /// Operations of the products that the step needs.
        var operations: Int
    }

    let all: [Batch]

    init(_ parts: TrainingRun.Parts, sizes: EncoderSizes, _ settings: RunSettings, stepCount: Int) {
        let operations = MatrixOperations(sizes: sizes)
        all = (0..<stepCount).map { step in
            let batch = parts.trainer.sampler.batch(at: step)
            let task = parts.tasks[batch.task]
            let rows = (0..<batch.count).map { batch[$0] }
            let sequences = rows.flatMap { task.train.lengths(of: $0) }
            return Batch(
                task: batch.task, rows: rows, sequences: sequences.count,
                tokens: sequences.reduce(0) { $0 + $1.length },
                operations: operations.count(sequences, head: task.head(settings).kind))
        }
    }

    /// The numbers of the `count` batches with the most tokens.
    func largest(_ count: Int) -> [Int] {
        Array(all.indices.sorted { (all[$1].tokens, $0) < (all[$0].tokens, $1) }.prefix(count))
    }
}
