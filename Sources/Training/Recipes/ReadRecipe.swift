import Data
import Foundation

extension Recipe {
    /// Reads the recipe at `path`, and those that it begins with.
    /// - Parameters:
    ///   - overrides: `KEY=VALUE` settings of all runs.
    ///   - folder: where its folder goes, which has the recipe's name; beside the recipe unless given.
    public init(path: String, overrides: [String] = [], folder: String? = nil) throws {
        if let own = overrides.first(where: Recipe.isOwn) {
            throw SettingsError(file: "--set \(own)", message: "is what the recipe decides; change it there")
        }
        try self.init(path: path, overrides: overrides, folder: folder, chain: [])
    }

    /// - Parameter chain: the recipes on the way to this one, each of which begins with the next.
    private init(path: String, overrides: [String], folder: String?, chain: [String]) throws {
        let here = FileManager.default.currentDirectoryPath
        let place = absolutePath(path, in: here) as NSString
        let file = try StrictValue.read(path: path)
        guard !chain.contains(place as String) else {
            throw SettingsError(file: path, message: "begins with itself, by way of \(chain.last!)")
        }
        let parts = try file.mapping { keys throws(SettingsError) in
            (
                runFile: try keys.required("run").path(), columns: try keys["columns"]?.texts(),
                seeds: try keys.required("seeds").list().map { item throws(SettingsError) -> UInt64 in
                    try item.integer()
                },
                rows: try keys.required("rows")
            )
        }
        let seeds = parts.seeds
        guard !seeds.isEmpty, Set(seeds).count == seeds.count else {
            throw SettingsError(file: path, message: "`seeds` must name at least one seed, and none twice")
        }
        let settings = try RunSettings.load(path: parts.runFile, overrides: overrides)
        let columns = parts.columns ?? settings.train
        guard !columns.isEmpty, Set(columns).count == columns.count else {
            throw SettingsError(file: path, message: "`columns` must name at least one task, and none twice")
        }
        let known = try TaskFile(path: settings.tasks).names
        var rows: [Row] = []
        for (name, value) in try parts.rows.namedValues() {
            let row = try Row(name, value, earlier: rows, columns: columns, known: known) { path throws in
                try Recipe(path: path, overrides: overrides, folder: folder, chain: chain + [place as String])
            }
            rows.append(row)
        }
        guard !rows.isEmpty else { throw parts.rows.error("must have at least one row") }
        if let stranger = columns.first(where: { !known.contains($0) }) {
            throw SettingsError(
                file: path, message: "`columns` has \"\(stranger)\", which is no task of \(settings.tasks)")
        }
        let slugs = rows.map { Recipe.slug($0.name) }
        if slugs.contains("") { throw parts.rows.error("has a row without a letter a to z or a digit in its name") }
        if let twice = slugs.first(where: { slug in slugs.count { $0 == slug } > 1 }) {
            throw parts.rows.error("has two rows whose folders would be called \(twice)")
        }
        let home = absolutePath(folder ?? place.deletingLastPathComponent, in: here)
        let name = (place.lastPathComponent as NSString).deletingPathExtension
        self.init(
            name: name, rows: rows, columns: columns, seeds: seeds, runFile: parts.runFile, home: home,
            overrides: overrides)
    }

    /// Whether a `KEY=VALUE` sets what a recipe's rows, columns and seeds decide.
    fileprivate static func isOwn(_ setting: String) -> Bool {
        let key = setting.prefix { $0 != "=" && $0 != "." }.trimmingCharacters(in: .whitespaces)
        return ["seed", "train", "initialize", "folder", "prepared"].contains(key)
    }
}

extension Recipe.Row {
    /// - Parameters:
    ///   - earlier: the rows above.
    ///   - known: the tasks of the run file.
    ///   - read: reads another recipe.
    fileprivate init(
        _ name: String, _ value: StrictValue, earlier: [Recipe.Row], columns: [String], known: [String],
        read: (String) throws -> Recipe
    ) throws {
        let parts = try value.mapping { keys throws(SettingsError) in
            (train: try keys.required("train"), initialize: keys["initialize"], set: keys["set"])
        }
        let training: Training
        switch parts.train.word {
        case "each": training = .each
        case "all": training = .together(columns)
        case let word?: throw parts.train.error("must be each, all or a list of tasks, not \"\(word)\"")
        case nil:
            let tasks = try parts.train.texts()
            if let stranger = tasks.first(where: { !known.contains($0) }) {
                throw parts.train.error("has \"\(stranger)\", which is no task of the run file")
            }
            training = .together(tasks)
        }
        let start = try parts.initialize.map { try Recipe.Start($0, earlier: earlier, training, read: read) }
        let settings = try parts.set?.texts() ?? []
        if let set = parts.set, let own = settings.first(where: Recipe.isOwn) {
            throw set.error("has \(own), which is for the recipe's own keys to say")
        }
        self.init(name: name, training: training, start: start, settings: settings)
    }
}

extension Recipe.Start {
    /// - Parameters:
    ///   - earlier: the rows above the one that begins so.
    ///   - training: what that one trains.
    fileprivate init(
        _ value: StrictValue, earlier: [Recipe.Row], _ training: Recipe.Row.Training, read: (String) throws -> Recipe
    ) throws {
        let parts = try value.mapping { keys throws(SettingsError) in
            let row = try keys.required("row")
            return (
                recipe: try keys["recipe"]?.path(), row: row, name: try row.string(),
                seed: try keys["seed"].map { value throws(SettingsError) -> UInt64 in try value.integer() },
                heads: try keys["heads"]?.boolean() ?? false
            )
        }
        let recipe = try parts.recipe.map(read)
        guard let first = (recipe?.rows ?? earlier).first(where: { $0.name == parts.name }) else {
            let place = parts.recipe.map { "of \($0)" } ?? "above this one"
            throw parts.row.error("is \"\(parts.name)\", which is no row \(place)")
        }
        if case .each = first.training, case .together = training {
            throw value.error(
                "trains tasks together and so cannot begin with \"\(parts.name)\", which has a run for each task")
        }
        self.init(recipe: recipe, row: parts.name, seed: parts.seed, heads: parts.heads)
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
