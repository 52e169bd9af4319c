import ArgumentParser
import Foundation
import Training

/// `mtdnn sweep`: trains all runs of a recipe, one after another, and prints its table.
struct SweepCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sweep",
        abstract: "Trains the runs of a recipe one after another and prints its table; finished ones are passed over.")

    @OptionGroup var recipe: RecipeOptions
    @OptionGroup var job: JobOptions

    func run() throws {
        let recipe = try recipe.read(job.overrides)
        // All settings are read before the first run begins: a wrong one in the last row shows now, not tomorrow.
        let count = try recipe.runs.map(Recipe.settings).count
        for index in 0..<count {
            if StopSignals.ofProgram.wasAsked { throw ExitCode(JobExit.stopped) }
            // Looked up anew: what an earlier run came to is known by now.
            let run = recipe.runs[index]
            let settings = try Recipe.settings(of: run)
            let title = "run \(index + 1) of \(count): \(run.name)"
            if try settings.isFinished() {
                StandardStream.output.say("\(title): finished")
                continue
            }
            StandardStream.output.say("\(title), in \(settings.folder)")
            try job.train(settings, arguments: [run.runFile] + run.overrides.flatMap { ["--set", $0] })
        }
        try Output.standard.say(ComparisonTable(recipe).text)
    }
}

/// `mtdnn compare`: the table of a recipe from the runs that are finished.
struct CompareCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare", abstract: "Prints a recipe's table from those of its runs that are finished.")

    @OptionGroup var recipe: RecipeOptions

    func run() throws { try Output.standard.say(ComparisonTable(recipe.read([])).text) }
}

/// Which recipe, and what all its runs have in common.
struct RecipeOptions: ParsableArguments {
    @Argument(help: ArgumentHelp("The recipe.", valueName: "recipe.yml"))
    var file: String

    @Option(help: "Where the run folders go (default: the recipe's path without its extension).")
    var folder: String?

    @Option(
        name: .customLong("set"), help: ArgumentHelp("Overrides a setting of all runs.", valueName: "key=value"))
    var overrides: [String] = []

    func read(_ more: [String]) throws -> Recipe {
        try Recipe(path: file, overrides: overrides + more, folder: folder)
    }
}
