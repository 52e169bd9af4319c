import Communication
import Data
import Foundation
import Storage

/// What the first rank writes and prints; silent on the others.
final class RunReport {
    /// The predictions for one split of one task.
    struct Evaluation {
        let task: TaskDefinition
        let split: String
        let examples: [Prediction]
        private let judged: Predictions

        init(_ task: TaskDefinition, split: String, _ examples: [Prediction]) {
            self.task = task
            self.split = split
            self.examples = examples
            judged = task.judge(examples)
        }

        /// The mean of the tasks' first metrics, by which checkpoints are compared; of a task with several splits their mean counts.
        static func meanScore(_ evaluations: [Evaluation]) -> Double? {
            var tasks: [(name: String, scores: [Double])] = []
            for evaluation in evaluations {
                guard let score = evaluation.scores.first?.value else { continue }
                if tasks.last?.name == evaluation.task.name {
                    tasks[tasks.count - 1].scores.append(score)
                } else {
                    tasks.append((evaluation.task.name, [score]))
                }
            }
            let mean = Metrics.mean(tasks.map { Metrics.mean($0.scores) })
            return mean.isFinite ? mean : nil
        }

        /// The task's scores in the order of its definition.
        var scores: [(name: String, value: Double)] {
            task.scoreNames.compactMap { name in judged.score(name).map { (name, $0) } }
        }
    }

    private let log: RunLog?
    private let folder: String
    private let start: Int
    private var lastTiming = monotonicNanoseconds()
    private let started = monotonicNanoseconds()

    /// - Parameters:
    ///   - start: steps that were taken before. What was written of later ones, in a run that was cut off, is removed.
    ///   - epochs: whole epochs among them.
    init(_ settings: RunSettings, isFirst: Bool, start: Int, epochs: Int) throws {
        self.start = start
        folder = settings.folder
        guard isFirst else {
            log = nil
            return
        }
        try createFolder(settings.folder)
        try settings.requireResumableFolder()
        for path in [settings.logPath, settings.settingsPath] { try removeUnfinished(path) }
        // The log first: with its last line the run that is there would be finished, and must not be with settings that ask for more.
        log = try RunLog(path: settings.logPath, keepingSteps: start)
        try ScoreFile.cutBack(toEpoch: epochs, folder: settings.folder)
        try RunReport.writeSettings(settings)
    }

    /// Writes the effective settings as `run.yml`.
    private static func writeSettings(_ settings: RunSettings) throws {
        do {
            try replaceFile(at: settings.settingsPath) {
                try Foundation.Data(settings.yaml.utf8).write(to: URL(fileURLWithPath: $0))
            }
        } catch let error as StorageError {
            throw error
        } catch {
            throw TrainingError("\(settings.settingsPath): cannot be written: \(systemReason(error))")
        }
    }

    /// Prints a sentence, where this rank speaks for all.
    func say(_ text: String) {
        guard log != nil else { return }
        StandardStream.output.say(text)
    }

    /// Waits, on any thread, until all that was written so far is on the disk.
    var synchronize: @Sendable () throws -> Void {
        { [log] in try log?.synchronize() }
    }

    private func write(_ line: some Encodable) throws {
        if let note = try log?.write(line) { say(note) }
    }

    /// Writes a step's line.
    func write(_ step: Trainer.Step, task: String, epoch: Int) throws {
        guard log != nil else { return }
        try write(
            RunLog.StepLine(
                step: step.number + 1, epoch: epoch, task: task, loss: step.loss, gradientNorm: step.gradientNorm,
                learningRate: step.learningRate, timing: secondsSinceLast()))
    }

    /// How long it is since this was asked last, or since the beginning.
    private func secondsSinceLast() -> RunLog.Timing {
        let now = monotonicNanoseconds()
        defer { lastTiming = now }
        return RunLog.Timing(seconds: Double(now - lastTiming) / 1e9)
    }

    /// Writes and prints the scores of an evaluation.
    func write(_ evaluations: [Evaluation], step: Int, epoch: Int) throws {
        guard log != nil else { return }
        var lines = ["dev scores after epoch \(epoch) (step \(step))"]
        for evaluation in evaluations {
            try write(
                RunLog.EvaluationLine(
                    step: step, epoch: epoch, task: evaluation.task.name, split: evaluation.split,
                    metrics: Dictionary(uniqueKeysWithValues: evaluation.scores.map { ($0.name, $0.value) })))
            writeScoreFile(evaluation, epoch: epoch)
            let name = evaluation.split == "dev" ? evaluation.task.name : "\(evaluation.task.name) \(evaluation.split)"
            let scores = evaluation.scores.map { String(format: "%@ %.4f", $0.name, $0.value) }
            lines.append(
                "  " + name.padding(toLength: max(16, name.count + 2), withPad: " ", startingAt: 0)
                    + scores.joined(separator: "  "))
        }
        if let mean = Evaluation.meanScore(evaluations) {
            try write(RunLog.MeanScoreLine(step: step, epoch: epoch, meanScore: mean, timing: secondsSinceLast()))
        }
        say(lines.joined(separator: "\n"))
    }

    /// A table that finds no room is no reason to end the training that it is about.
    private func writeScoreFile(_ evaluation: Evaluation, epoch: Int) {
        let path = ScoreFile.path(evaluation, epoch: epoch, folder: folder)
        do { try ScoreFile(evaluation)?.write(to: path) } catch { say("\(path): not written: \(error)") }
    }

    /// Writes the sums over weights and moments, the log's last line.
    func write(_ digest: WeightsDigest?, step: Int) throws {
        guard let log, let digest else { return }
        try write(RunLog.EndLine(step: step, parametersSha256: digest.parameters, momentsSha256: digest.moments))
        try log.synchronize()
    }

    /// Prints how fast the run was, what its phases took, and the peak memory of each rank.
    func end(_ world: Communicator, _ trainer: Trainer, step: Int) throws {
        let seconds = Double(monotonicNanoseconds() - started) / 1e9
        let times = Phase.allCases.map { (phase: $0, seconds: trainer.clock.seconds($0)) }.filter { $0.seconds > 0 }
        let total = times.reduce(0) { $0 + $1.seconds }
        let shares = times.map { String(format: "%@ %.1f %%", "\($0.phase)", 100 * $0.seconds / total) }
        let memory = try world.allGather(ProcessMemory.peak().text)
        guard log != nil else { return }
        let trainingSeconds = seconds - trainer.clock.seconds(.evaluate)
        say(
            String(
                format: "%d steps in %@: %.0f tokens/s in training", step - start,
                ProgressLine.duration(seconds),
                Double(trainer.trainedTokenCount) / max(1e-9, trainingSeconds)))
        say("phases of rank 0: " + shares.joined(separator: ", "))
        say("peak memory by rank: " + memory.joined(separator: ", "))
    }
}
