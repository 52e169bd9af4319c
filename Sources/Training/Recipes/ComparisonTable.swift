import Data
import Foundation

/// A recipe's rows beside each other: for each task the mean and the deviation of its first metric over seeds.
///
/// A run counts with its scores at the evaluation whose mean over its tasks was best, the one of its best checkpoint.
public struct ComparisonTable {
    /// The table, ready to print.
    public let text: String

    /// Reads the logs of all runs of the recipe that are finished.
    public init(_ recipe: Recipe) throws {
        var titles = ["row"]
        var columns: [(task: TaskDefinition, split: String)] = []
        let all = try Recipe.settings(of: recipe.runs[0]).tasks
        let file = try TaskFile(path: all)
        for name in recipe.columns {
            guard let task = try file.definition(of: name) else { continue }
            for split in task.developmentSplits {
                columns.append((task, split))
                titles.append("\(name)\(split == "dev" ? "" : " \(split)") \(task.scoreNames[0])")
            }
        }
        var lines = [titles + ["minutes"]]
        var missing: [String] = []
        for row in recipe.rows {
            var scores = [[Double]](repeating: [], count: columns.count)
            var seconds = 0.0
            for run in recipe.seeds.flatMap({ recipe.runs(of: row, seed: $0) }) {
                let settings = try Recipe.settings(of: run)
                guard try settings.isFinished() else {
                    missing.append(run.name)
                    continue
                }
                let history = try settings.history()
                seconds += history.trainingSeconds
                for (index, column) in columns.enumerated() where run.tasks.contains(column.task.name) {
                    let found = history.scores(
                        task: column.task.name, split: column.split, step: history.best?.step)
                    if let score = found?[column.task.scoreNames[0]] { scores[index].append(score) }
                }
            }
            // A row that only others begin with has no column of its own.
            let isShown = recipe.runs(of: row, seed: recipe.seeds[0]).contains { run in
                run.tasks.contains { recipe.columns.contains($0) }
            }
            guard isShown else { continue }
            lines.append(
                [row.name] + scores.map(ComparisonTable.cell) + [
                    seconds > 0 ? String(format: "%.1f", seconds / 60) : "-"
                ])
        }
        var sentences = [
            "mean and standard deviation over seeds \(recipe.seeds.map(String.init).joined(separator: ", "))"
        ]
        if !missing.isEmpty {
            let names = missing.prefix(4).joined(separator: "; ") + (missing.count > 4 ? "; ..." : "")
            sentences.append("not finished, of \(recipe.runs.count) runs: \(missing.count) (\(names))")
        }
        text = ([alignedColumns(lines, names: 1)] + sentences).joined(separator: "\n")
    }

    /// The mean, and for more than one seed the standard deviation of a sample.
    static func cell(_ scores: [Double]) -> String {
        guard !scores.isEmpty else { return "-" }
        let mean = Metrics.mean(scores)
        guard scores.count > 1 else { return String(format: "%.3f", mean) }
        let squares = scores.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        return String(format: "%.3f ± %.3f", mean, (squares / Double(scores.count - 1)).squareRoot())
    }
}

extension Recipe {
    /// The settings of one of its runs.
    public static func settings(of run: Run) throws -> RunSettings {
        try RunSettings.load(path: run.runFile, overrides: run.overrides)
    }
}
