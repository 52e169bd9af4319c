import ArgumentParser
import Foundation
import Training

/// `mtdnn sweep`: trains all runs of a recipe, one after another, and prints its table.
struct SweepCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sweep",
        abstract: "Trains the runs of recipes one after another and prints their table; finished ones are passed over.")

    @OptionGroup var recipes: RecipeOptions
    @OptionGroup var job: JobOptions

    func run() throws {
        let recipes = try recipes.read(job.overrides)
        // All settings are read before the first run begins: a wrong one in the last row shows now, not tomorrow.
        let count = try Recipe.runs(of: recipes).map { try $0.settings() }.count
        for index in 0..<count {
            if StopSignals.ofProgram.wasAsked { throw ExitCode(JobExit.stopped) }
            // Looked up anew: what an earlier run came to is known by now.
            let run = Recipe.runs(of: recipes)[index]
            let settings = try run.settings()
            let title = "run \(index + 1) of \(count): \(run.name)"
            if try settings.isFinished() {
                StandardStream.output.say("\(title): finished")
                continue
            }
            if try !run.isOwned(by: recipes) && settings.isEnded() {
                throw LaunchError(
                    "\(run.name), in \(settings.folder), is finished with other `epochs` or `patience`; name its recipe, too, to train it on, or leave them as they were"
                )
            }
            StandardStream.output.say("\(title), in \(settings.folder)")
            try job.train(settings, arguments: [run.runFile] + run.overrides.flatMap { ["--set", $0] })
        }
        try Output.standard.say(ComparisonTable(recipes).text)
    }
}

/// `mtdnn compare`: the table of recipes from the runs that are finished.
struct CompareCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare", abstract: "Prints the table of recipes from those of their runs that are finished.")

    @OptionGroup var recipes: RecipeOptions

    func run() throws { try Output.standard.say(ComparisonTable(recipes.read([])).text) }
}

/// Which recipes, and what all their runs have in common.
struct RecipeOptions: ParsableArguments {
    @Argument(help: ArgumentHelp("The recipes, whose rows make one table.", valueName: "recipe.yml"))
    var files: [String]

    @Option(help: "Where the recipes' folders go, called as they are (default: beside each recipe).")
    var folder: String?

    @Option(
        name: .customLong("set"), help: ArgumentHelp("Overrides a setting of all runs.", valueName: "key=value"))
    var overrides: [String] = []

    func validate() throws {
        let paths = files.map { URL(fileURLWithPath: $0).standardizedFileURL.path }
        if let twice = paths.indices.first(where: { paths[..<$0].contains(paths[$0]) }) {
            throw ValidationError("\(files[twice]) is named twice.")
        }
    }

    func read(_ more: [String]) throws -> [Recipe] {
        try files.map { try Recipe(path: $0, overrides: overrides + more, folder: folder) }
    }
}
