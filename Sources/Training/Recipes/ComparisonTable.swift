import Data
import Foundation

/// Recipes' rows beside each other: for each task the mean and the deviation of its first metric over seeds.
///
/// A run counts with its scores at the evaluation whose mean over its tasks was best, the one of its best checkpoint.
public struct ComparisonTable {
    /// The table, ready to print.
    public let text: String

    /// A task's first metric on one split.
    private struct Column {
        let task: String
        let split: String
        let metric: String

        var title: String { "\(task)\(split == "dev" ? "" : " \(split)") \(metric)" }
    }

    /// What the finished runs of a row came to.
    private struct Line {
        var scores: [[Double]]
        var seconds = 0.0
    }

    /// Reads the logs of all runs of the recipes that are finished.
    public init(_ recipes: [Recipe]) throws {
        var columns: [Column] = []
        for recipe in recipes {
            for column in try ComparisonTable.columns(of: recipe)
            where !columns.contains(where: { $0.title == column.title }) { columns.append(column) }
        }
        let names = recipes.flatMap { $0.rows.map(\.name) }
        func name(of row: Recipe.Row, _ recipe: Recipe) -> String {
            names.count { $0 == row.name } > 1 ? "\(recipe.name): \(row.name)" : row.name
        }
        var cells = [["row"] + columns.map(\.title) + ["minutes"]]
        for recipe in recipes {
            for row in recipe.rows {
                let line = try ComparisonTable.line(row, of: recipe, columns)
                // A row that only others begin with has no column of its own.
                guard recipe.runs(of: row, seed: recipe.seeds[0]).contains(where: { $0.isFor(recipe.columns) }) else {
                    continue
                }
                let minutes = line.seconds > 0 ? String(format: "%.1f", line.seconds / 60) : "-"
                cells.append([name(of: row, recipe)] + line.scores.map(ComparisonTable.cell) + [minutes])
            }
        }
        var sentences = [ComparisonTable.seeds(of: recipes)]
        let runs = Recipe.runs(of: recipes)
        let missing = try runs.filter { try !$0.settings().isFinished() }.map(\.name)
        if !missing.isEmpty {
            let names = missing.prefix(4).joined(separator: "; ") + (missing.count > 4 ? "; ..." : "")
            sentences.append("not finished, of \(runs.count) runs: \(missing.count) (\(names))")
        }
        text = ([alignedColumns(cells, names: 1)] + sentences).joined(separator: "\n")
    }

    private static func columns(of recipe: Recipe) throws -> [Column] {
        let tasks = try RunSettings.load(path: recipe.runFile, overrides: recipe.overrides).tasks
        let file = try TaskFile(path: tasks)
        return try recipe.columns.compactMap { try file.definition(of: $0) }.flatMap { task in
            task.developmentSplits.map { Column(task: task.name, split: $0, metric: task.scoreNames[0]) }
        }
    }

    private static func line(_ row: Recipe.Row, of recipe: Recipe, _ columns: [Column]) throws -> Line {
        var line = Line(scores: Array(repeating: [], count: columns.count))
        for run in recipe.seeds.flatMap({ recipe.runs(of: row, seed: $0) }) {
            let settings = try run.settings()
            guard try settings.isFinished() else { continue }
            let history = try settings.history()
            line.seconds += history.seconds
            for (index, column) in columns.enumerated() where run.tasks.contains(column.task) {
                let scores = history.scores(task: column.task, split: column.split, step: history.best?.step)
                if let score = scores?[column.metric] { line.scores[index].append(score) }
            }
        }
        return line
    }

    private static func seeds(of recipes: [Recipe]) -> String {
        func list(_ recipe: Recipe) -> String { recipe.seeds.map(String.init).joined(separator: ", ") }
        let all =
            recipes.allSatisfy { $0.seeds == recipes[0].seeds }
            ? list(recipes[0])
            : recipes.map { "\(list($0)) (\($0.rows.map(\.name).joined(separator: "; ")))" }.joined(separator: ", ")
        return "mean and standard deviation over seeds \(all)"
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
