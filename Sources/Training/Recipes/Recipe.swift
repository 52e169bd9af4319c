import Data
import Foundation

/// A table of a paper as one file: which runs give its rows and columns, over which seeds.
///
/// A row trains one run for each task, or one for some tasks together, from the encoder of the run file or from what another row's runs of the
/// same seed came to.
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
        /// The row whose runs this one's begin with, and whether heads are taken over as well.
        let start: (row: String, heads: Bool)?
        /// `KEY=VALUE` settings of this row.
        let settings: [String]
    }

    /// A run that belongs to a row.
    public struct Run: Sendable {
        /// As a person would call it: `MT-DNN, rte, seed 2`.
        public let name: String
        /// The run file and what it is overridden with.
        public let runFile: String
        /// `KEY=VALUE` settings on top of the run file.
        public let overrides: [String]
        let row: String
        let seed: UInt64
        let tasks: [String]
        let folder: String
    }

    let rows: [Row]
    /// The tasks that are the table's columns.
    let columns: [String]
    let seeds: [UInt64]
    private let runFile: String
    private let folder: String
    private let overrides: [String]

    /// Reads the recipe at `path`.
    /// - Parameters:
    ///   - overrides: `KEY=VALUE` settings of all runs.
    ///   - folder: where run folders go; the recipe's path without its extension unless given.
    public init(path: String, overrides: [String] = [], folder: String? = nil) throws {
        let here = FileManager.default.currentDirectoryPath
        self.overrides = overrides
        if let own = overrides.first(where: Recipe.isOwn) {
            throw SettingsError(file: "--set \(own)", message: "is what the recipe decides; change it there")
        }
        self.folder = absolutePath(folder ?? (path as NSString).deletingPathExtension, in: here)
        let file = try StrictValue.read(path: path)
        let parts = try file.mapping { keys throws(SettingsError) in
            (
                runFile: try keys.required("run").path(), columns: try keys["columns"]?.texts(),
                seeds: try keys.required("seeds").list().map { item throws(SettingsError) -> UInt64 in
                    try item.integer()
                },
                rows: try keys.required("rows")
            )
        }
        runFile = parts.runFile
        seeds = parts.seeds
        guard !seeds.isEmpty, Set(seeds).count == seeds.count else {
            throw SettingsError(file: path, message: "`seeds` must name at least one seed, and none twice")
        }
        let settings = try RunSettings.load(path: runFile, overrides: overrides)
        columns = parts.columns ?? settings.train
        guard !columns.isEmpty else {
            throw SettingsError(file: path, message: "`columns` must name at least one task")
        }
        let known = try TaskFile(path: settings.tasks).names
        var rows: [Row] = []
        for (name, value) in try parts.rows.namedValues() {
            rows.append(try Row(name, value, earlier: rows, columns: columns, known: known))
        }
        guard !rows.isEmpty else { throw parts.rows.error("must have at least one row") }
        if let stranger = columns.first(where: { !known.contains($0) }) {
            throw SettingsError(
                file: path, message: "`columns` has \"\(stranger)\", which is no task of \(settings.tasks)")
        }
        let slugs = rows.map { Recipe.slug($0.name) }
        if let twice = slugs.first(where: { slug in slugs.count { $0 == slug } > 1 }) {
            throw parts.rows.error("has two rows whose folders would be called \(twice)")
        }
        self.rows = rows
    }

    /// Whether a `KEY=VALUE` sets what a recipe's rows, columns and seeds decide.
    fileprivate static func isOwn(_ setting: String) -> Bool {
        let key = setting.prefix { $0 != "=" && $0 != "." }.trimmingCharacters(in: .whitespaces)
        return ["seed", "train", "initialize", "folder", "prepared"].contains(key)
    }

    /// All runs, those that others begin with before them.
    public var runs: [Run] { seeds.flatMap { seed in rows.flatMap { runs(of: $0, seed: seed) } } }

    func runs(of row: Row, seed: UInt64) -> [Run] {
        switch row.training {
        case .each: columns.map { run(of: row, tasks: [$0], seed: seed) }
        case .together(let tasks): [run(of: row, tasks: tasks, seed: seed)]
        }
    }

    private func run(of row: Row, tasks: [String], seed: UInt64) -> Run {
        var settings = ["train=[\(tasks.joined(separator: ", "))]", "seed=\(seed)"]
        if let start = row.start, let first = rows.first(where: { $0.name == start.row }) {
            // Of a row of single tasks each begins with the run of its own task.
            let source = if case .together(let all) = first.training { all } else { tasks }
            // The checkpoint itself where there is one: should that row come to another one later, these settings are others.
            let run = folder(of: first, tasks: source, seed: seed)
            settings.append("initialize.checkpoint=\(Recipe.bestCheckpoint(of: run) ?? run)")
            settings.append("initialize.heads=\(start.heads)")
        }
        let folder = folder(of: row, tasks: tasks, seed: seed)
        let name = if case .each = row.training { "\(row.name), \(tasks[0])" } else { row.name }
        return Run(
            name: "\(name), seed \(seed)", runFile: runFile,
            overrides: overrides + settings + row.settings + ["prepared=\(self.folder)/prepared", "folder=\(folder)"],
            row: row.name, seed: seed, tasks: tasks, folder: folder)
    }

    private static func bestCheckpoint(of run: String) -> String? {
        let checkpoints = Result { try CheckpointFolder(run: run).readable(report: { _ in }) }
        guard case .success(let readable) = checkpoints else { return nil }  // training will say why
        return (CheckpointFolder.best(of: readable) ?? readable.first)?.path
    }

    private func folder(of row: Row, tasks: [String], seed: UInt64) -> String {
        let parts: [String] =
            if case .each = row.training { [Recipe.slug(row.name), tasks[0]] } else { [Recipe.slug(row.name)] }
        return ([folder] + parts + ["seed-\(seed)"]).joined(separator: "/")
    }

    /// A row's name as that of a folder: small letters and digits, everything else one hyphen.
    private static func slug(_ name: String) -> String {
        name.lowercased().split { !($0.isASCII && ($0.isLetter || $0.isNumber)) }.joined(separator: "-")
    }
}

extension Recipe.Row {
    fileprivate init(
        _ name: String, _ value: StrictValue, earlier: [Recipe.Row], columns: [String], known: [String]
    ) throws(SettingsError) {
        self = try value.mapping { keys throws(SettingsError) in
            let train = try keys.required("train")
            let training: Training
            switch train.word {
            case "each": training = .each
            case "all": training = .together(columns)
            case let word?: throw train.error("must be each, all or a list of tasks, not \"\(word)\"")
            case nil:
                let tasks = try train.texts()
                if let stranger = tasks.first(where: { !known.contains($0) }) {
                    throw train.error(
                        "has \"\(stranger)\", which is no task of the run file"
                    )
                }
                training = .together(tasks)
            }
            let start = try keys["initialize"].map { value throws(SettingsError) in
                try value.mapping { keys throws(SettingsError) -> (row: String, heads: Bool) in
                    let row = try keys.required("row")
                    let rowName = try row.string()
                    guard earlier.contains(where: { $0.name == rowName }) else {
                        throw row.error("is \"\(rowName)\", which is no row above this one")
                    }
                    return (rowName, try keys["heads"]?.boolean() ?? false)
                }
            }
            if let start, let first = earlier.first(where: { $0.name == start.row }), case .each = first.training,
                case .together = training
            {
                throw value.error(
                    "trains tasks together and so cannot begin with \"\(start.row)\", which has a run for each task")
            }
            let set = keys["set"]
            let settings = try set?.texts() ?? []
            if let set, let own = settings.first(where: Recipe.isOwn) {
                throw set.error("has \(own), which is for the recipe's own keys to say")
            }
            return Self(name: name, training: training, start: start, settings: settings)
        }
    }
}

extension StrictValue {
    /// The items of a list as texts.
    fileprivate func texts() throws(SettingsError) -> [String] {
        try list().map { item throws(SettingsError) in try item.string() }
    }

    /// The text where it is one.
    fileprivate var word: String? {
        do { return try string() } catch { return nil }
    }
}
