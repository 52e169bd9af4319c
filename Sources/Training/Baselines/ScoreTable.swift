import Data
import Foundation
import Kernels

/// The last dev scores of a run beside those of baselines: what a model has to beat to have learned anything.
public struct ScoreTable {
    /// What a run is compared with.
    public enum Baseline: Sendable {
        /// The commonest class, the mean score, or chance among candidates.
        case majority
        /// How many words two texts share.
        case wordOverlap
        /// A linear model over word counts.
        case bagOfWords
        /// The cosine of two sentences' mean vectors by the encoder before training.
        case untrainedEncoder

        var title: String {
            switch self {
            case .majority: "majority"
            case .wordOverlap: "word overlap"
            case .bagOfWords: "bag of words"
            case .untrainedEncoder: "untrained encoder"
            }
        }
    }

    /// The table, ready to print.
    public let text: String

    /// Computes the baselines on the run's data, and reads its last scores from `metrics.jsonl`.
    ///
    /// All of the machine's processors compute: the run has ended.
    public init(_ settings: RunSettings, baselines: [Baseline]) throws {
        text = try ThreadTeam.with(threads: ProcessInfo.processInfo.activeProcessorCount) {
            try ScoreTable.text(settings, baselines: baselines)
        }
    }

    private static func text(_ settings: RunSettings, baselines: [Baseline]) throws -> String {
        let history = try settings.history()
        var rows = [["task", "metric"] + baselines.map(\.title) + ["mtdnn"]]
        var encoder: UntrainedEncoder?
        if baselines.contains(where: { if case .untrainedEncoder = $0 { true } else { false } }) {
            encoder = try UntrainedEncoder(settings)
        }
        for task in try settings.taskDefinitions() {
            // Token ids have no texts that a baseline could read, and none tells anything of words.
            let isText = task.format != .jsonLines && task.scoresSentences
            let train = isText ? try task.trainingExamples(settings) : []
            for split in task.developmentSplits {
                let dev = isText ? try task.readExamples(split: split, dataFolder: settings.data) : []
                let examined = isText ? BaselineTask(task, train: train, dev: dev) : nil
                let results = baselines.map { examined?.result($0, encoder) }
                for score in task.scoreNames {
                    let name = split == "dev" ? task.name : "\(task.name) \(split)"
                    let cells =
                        results.map { $0?.scores[score] } + [history.scores(task: task.name, split: split)?[score]]
                    rows.append([name, score] + cells.map { $0.map { String(format: "%.3f", $0) } ?? "-" })
                }
            }
        }
        return ([alignedColumns(rows, names: 2)] + ScoreTable.best(of: history)).joined(separator: "\n")
    }

    /// Which evaluation was the best.
    private static func best(of history: RunHistory) -> [String] {
        guard let last = history.meanScores.last, let best = history.best else { return [] }
        let sentence = String(
            format: "The mean of the tasks' first metrics was best after step %d: %.4f", best.step, best.score)
        return [
            sentence
                + (best.step == last.step
                    ? "." : String(format: "; after step %d, as above, it was %.4f.", last.step, last.score))
        ]
    }
}

/// Rows as lines with columns of equal width: the first ones, `names` of them, to the left, the others to the right.
func alignedColumns(_ rows: [[String]], names: Int) -> String {
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    let lines = rows.map { row in
        row.indices.map { column in
            let space = String(repeating: " ", count: widths[column] - row[column].count)
            return column < names ? row[column] + space : space + row[column]
        }.joined(separator: "  ")
    }
    return lines.joined(separator: "\n")
}

extension TaskDefinition {
    /// The examples that a run is trained on, in the order of the file.
    fileprivate func trainingExamples(_ settings: RunSettings) throws -> [Example] {
        let rows = try readExamples(split: TaskDefinition.trainingSplit, dataFolder: settings.data)
        let sampled = Sampler.Task(rowCount: rows.count, batchSize: 1, fraction: trainFraction)
        let order = sampled.rows(seed: settings.seed)
        return (0..<sampled.exampleCount).map { order[$0] }.sorted().map { rows[$0] }
    }
}

extension BaselineTask {
    init(_ task: TaskDefinition, train: [Example], dev: [Example]) {
        let kind: Kind
        switch task.kind {
        case .classification(let classes, _): kind = .classification(classCount: classes)
        case .regression: kind = .regression
        case .ranking: kind = .ranking
        case .labelling, .span, .maskedWords: preconditionFailure("no baseline tells anything of words")
        }
        self.init(kind: kind, mainMetric: task.metrics[0].rawValue, train: train, dev: dev)
    }

    fileprivate func result(_ baseline: ScoreTable.Baseline, _ encoder: UntrainedEncoder?) -> BaselineResult? {
        switch baseline {
        case .majority: majority()
        case .wordOverlap: wordOverlap()
        case .bagOfWords: bagOfWords()
        case .untrainedEncoder: encoder.flatMap { encoder in cosine { encoder.vectors($0) } }
        }
    }
}
