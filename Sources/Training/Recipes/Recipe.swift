import Data
import Foundation

/// A table of a paper, or some rows of it, as one file: which runs give them, over which seeds.
///
/// A row trains one run for each task, or one for some tasks together, from the encoder of the run file or from what another row's runs came to,
/// of this recipe or of another one.
public struct Recipe: Sendable {
    /// One line of the table.
    struct Row: Sendable {
        /// Which runs give it.
        enum Training: Sendable {
            /// A run for every task of the table.
            case each
            /// One run for these tasks together.
            case together([String])
        }

        let name: String
        let training: Training
        /// What its runs begin with, if not with the encoder of the run file.
        let start: Start?
        /// `KEY=VALUE` settings of this row.
        let settings: [String]
    }

    /// The runs that a row's own begin with.
    struct Start: Sendable {
        /// The recipe that they belong to; nil for this one.
        let recipe: Recipe?
        let row: String
        /// The seed of all of them; that of the run which begins with one of them unless given.
        let seed: UInt64?
        /// Whether heads are taken over as well.
        let heads: Bool
    }

    /// A run that belongs to a row.
    public struct Run: Sendable {
        /// As a person would call it: `MT-DNN, rte, seed 2`.
        public let name: String
        /// The run file and what it is overridden with.
        public let runFile: String
        /// `KEY=VALUE` settings on top of the run file.
        public let overrides: [String]
        let tasks: [String]
        let folder: String
        /// The folder of its recipe.
        let recipe: String

        /// The settings of the run.
        public func settings() throws -> RunSettings { try RunSettings.load(path: runFile, overrides: overrides) }

        /// Whether it belongs to one of these recipes, and is not only begun with.
        public func isOwned(by recipes: [Recipe]) -> Bool { recipes.contains { $0.folder == recipe } }

        /// Whether it trains one of these tasks.
        func isFor(_ columns: [String]) -> Bool { tasks.contains(where: columns.contains) }
    }

    /// The name of its file.
    let name: String
    let rows: [Row]
    /// The tasks that are the table's columns.
    let columns: [String]
    let seeds: [UInt64]
    let runFile: String
    /// Where the folders of all recipes are.
    let home: String
    /// The folder of this one's runs.
    var folder: String { "\(home)/\(name)" }
    /// `KEY=VALUE` settings of all runs.
    let overrides: [String]

    /// All runs of some recipes, each once, those that others begin with before them.
    public static func runs(of recipes: [Recipe]) -> [Run] {
        var known: Set<String> = []
        let all = recipes.flatMap { recipe in
            recipe.seeds.flatMap { seed in
                recipe.rows.flatMap { recipe.runs(upTo: $0, columns: recipe.columns, seed: seed) }
            }
        }
        return all.filter { known.insert($0.folder).inserted }
    }

    /// The runs of a row, as far as they are for `columns`, after those that they begin with.
    private func runs(upTo row: Row, columns: [String], seed: UInt64) -> [Run] {
        let earlier = row.start.map { start in
            let recipe = start.recipe ?? self
            return recipe.runs(upTo: recipe.row(start.row), columns: columns, seed: start.seed ?? seed)
        }
        return (earlier ?? []) + runs(of: row, columns: columns, seed: seed)
    }

    /// The runs of a row of the table.
    func runs(of row: Row, seed: UInt64) -> [Run] { runs(of: row, columns: columns, seed: seed) }

    private func runs(of row: Row, columns: [String], seed: UInt64) -> [Run] {
        switch row.training {
        case .each: columns.map { run(of: row, tasks: [$0], seed: seed) }
        case .together(let tasks): [run(of: row, tasks: tasks, seed: seed)]
        }
    }

    private func run(of row: Row, tasks: [String], seed: UInt64) -> Run {
        let folder = folder(of: row, tasks: tasks, seed: seed)
        let name = if case .each = row.training { "\(row.name), \(tasks[0])" } else { row.name }
        return Run(
            name: "\(name), seed \(seed)", runFile: runFile,
            overrides: ["train=[\(tasks.joined(separator: ", "))]", "seed=\(seed)"]
                + beginning(of: row, tasks: tasks, seed: seed) + row.settings + overrides
                + ["prepared=\(yamlText("\(home)/prepared"))", "folder=\(yamlText(folder))"],
            tasks: tasks, folder: folder, recipe: self.folder)
    }

    /// The settings that have a run begin with another one.
    private func beginning(of row: Row, tasks: [String], seed: UInt64) -> [String] {
        guard let start = row.start else { return [] }
        let recipe = start.recipe ?? self
        let first = recipe.row(start.row)
        // Of a row of single tasks each begins with the run of its own task.
        let source = if case .together(let all) = first.training { all } else { tasks }
        // The checkpoint itself where there is one: should that row come to another one later, these settings are others.
        let run = recipe.folder(of: first, tasks: source, seed: start.seed ?? seed)
        let checkpoint = Recipe.bestCheckpoint(of: run) ?? run
        return ["initialize.checkpoint=\(yamlText(checkpoint))", "initialize.heads=\(start.heads)"]
    }

    private static func bestCheckpoint(of run: String) -> String? {
        let checkpoints = Result { try CheckpointFolder(run: run).readable(report: { _ in }) }
        guard case .success(let readable) = checkpoints else { return nil }  // training will say why
        return (CheckpointFolder.best(of: readable) ?? readable.first)?.path
    }

    /// The row of a name that was looked up when the recipe was read.
    private func row(_ name: String) -> Row {
        guard let row = rows.first(where: { $0.name == name }) else { preconditionFailure("no row \(name)") }
        return row
    }

    private func folder(of row: Row, tasks: [String], seed: UInt64) -> String {
        let parts: [String] =
            if case .each = row.training { [Recipe.slug(row.name), tasks[0]] } else { [Recipe.slug(row.name)] }
        return ([folder] + parts + ["seed-\(seed)"]).joined(separator: "/")
    }

    /// A row's name as that of a folder: small letters and digits, everything else one hyphen.
    static func slug(_ name: String) -> String {
        name.lowercased().split { !($0.isASCII && ($0.isLetter || $0.isNumber)) }.joined(separator: "-")
    }
}
