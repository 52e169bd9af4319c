import ArgumentParser
import Data
import Foundation
import Training

/// `mtdnn predict`: what a trained head says to texts.
struct PredictCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "predict",
        abstract: "Scores texts with a trained task; or writes the files that the GLUE server or SQuAD's scorer takes.",
        discussion: """
            Of a split the task's own files are read, and where all rows have labels the task's scores are printed to standard error. Lines of \
            --input hold a sentence, two, a query and its candidates, or a question and its context, with tabs between; with --json-input they are \
            {"sentence"}, {"sentence1", "sentence2"}, {"query", "candidates"}, {"words"} or {"question", "context"}, each with a "uid" if you like.

            With --soft-labels the answers are mt-dnn's preprocessed rows of the split, each with this model's scores as softlabel: a task with \
            `format: json_lines` learns from them.
            """)

    @Argument(help: ArgumentHelp("A checkpoint, or a run folder for its best or else newest one.", valueName: "path"))
    var path: String

    @Option(help: "The task whose head answers (default: the only one).")
    var task: String?

    @Option(help: "The split of the task's data to score (default: dev).")
    var split: String?

    @Option(help: ArgumentHelp("A file of texts, a line for each example; - is standard input.", valueName: "file"))
    var input: String?

    @Option(help: ArgumentHelp("Where predictions go (default: standard output).", valueName: "file"))
    var output: String?

    @Flag(help: "Predictions are JSON lines instead of tab-separated ones.")
    var json = false

    @Flag(help: "Writes the split's rows as mt-dnn's JSON lines, with this model's scores as softlabel.")
    var softLabels = false

    @Flag(help: "Lines of --input are JSON.")
    var jsonInput = false

    @Option(help: ArgumentHelp("Writes a file for each GLUE task of the model, instead.", valueName: "folder"))
    var glueSubmission: String?

    @Option(
        help: ArgumentHelp(
            "Writes the answers to a split's questions as SQuAD's official scorer takes them, instead.",
            valueName: "file"))
    var squadPredictions: String?

    @OptionGroup var team: ThreadOption

    @Option(
        name: .customLong("set"),
        help: ArgumentHelp("Where data or vocabulary lie now, as in data=PATH.", valueName: "key=value"))
    var overrides: [String] = []

    func validate() throws {
        if jsonInput, input == nil { throw ValidationError("--json-input says how lines of --input are read.") }
        if split != nil, input != nil { throw ValidationError("--split and --input exclude each other.") }
        if softLabels, json || input != nil || glueSubmission != nil {
            throw ValidationError(
                "--soft-labels writes the rows of a split; leave --json, --input and --glue-submission out.")
        }
        if glueSubmission != nil, task != nil || split != nil || input != nil || output != nil || json {
            throw ValidationError(
                "--glue-submission takes all tasks and their test files; leave the other options out.")
        }
        if squadPredictions != nil, glueSubmission != nil || input != nil || output != nil || json || softLabels {
            throw ValidationError("--squad-predictions goes with --task and --split alone.")
        }
    }

    func run() throws {
        try TrainedModel.with(
            path, threads: team.threads, overrides: overrides, probe: .ownProcess, report: StandardStream.error.say
        ) {
            model in
            if let glueSubmission {
                return try GlueSubmission(model, folder: glueSubmission).write(report: StandardStream.error.say)
            }
            let index = try model.task(task)
            if let squadPredictions {
                let answers = SquadPredictions(model, task: index, split: split ?? "dev")
                return try Output.with(squadPredictions, option: "--squad-predictions") {
                    try $0.write(try answers.json(report: StandardStream.error.say))
                }
            }
            let answer = softLabels ? teach : predict
            guard let output else { return try answer(model, index, .standard) }
            try Output.with(output, inputs: input.map { [$0] } ?? []) { try answer(model, index, $0) }
        }
    }

    /// Writes a split's rows with the model's scores as soft labels.
    private func teach(_ model: TrainedModel, _ index: Int, _ output: Output) throws {
        let task = model.tasks[index]
        guard task.scoresSentences else {
            throw LaunchError("--soft-labels: task \(task.name) has no scores of whole sentences, so no soft labels")
        }
        let contents = try contents(of: model, index)
        for (example, prediction) in zip(contents.rows, model.predict(contents.rows, task: index)) {
            try output.write(try task.jsonLine(of: example, softLabels: prediction.softLabels) + "\n")
        }
    }

    /// The examples of the split to score; says what is left out of it.
    private func contents(of model: TrainedModel, _ index: Int) throws -> FileContents<TokenizedExample> {
        let split = split ?? "dev"
        let contents = try model.contents(task: index, split: split)
        if contents.leftOut.count > 0 {
            StandardStream.error.say("\(model.tasks[index].name) \(split)\(contents.leftOut.summary)")
        }
        contents.leftOut.list.forEach(StandardStream.error.say)
        return contents
    }

    private func predict(_ model: TrainedModel, _ index: Int, _ output: Output) throws {
        let task = model.tasks[index]
        let format = PredictionFormat(task, isJSON: json)
        let lines = try input.map { try TextLines($0) }
        if let header = format.header { try output.write("\(header)\n") }
        func answer(_ examples: [TokenizedExample]) throws -> [Prediction] {
            let predictions = model.predict(examples, task: index)
            try output.write(try predictions.map { "\(try format.line($0))\n" }.joined())
            return predictions
        }
        if let lines {
            return try lines.forEachBlock { block, first in
                var examples: [TokenizedExample] = []
                do {
                    for (place, line) in block.enumerated() {
                        let example = try example(line, number: first + place, of: task, lines.name)
                        let encoded = model.encode(example, task: index)
                        try requireAllWords(example, encoded, of: model, index, "\(lines.name):\(first + place)")
                        examples.append(encoded)
                    }
                } catch {
                    // What came before the bad line has its answer all the same.
                    _ = try answer(examples)
                    throw error
                }
                _ = try answer(examples)
            }
        }
        let predictions = try answer(contents(of: model, index).rows)
        guard let scores = PredictionScores(predictions, of: task) else { return }
        StandardStream.error.say("\(task.name) \(split ?? "dev"): \(scores.summary)")
    }

    /// A sentence whose words are labelled must have an answer for each.
    private func requireAllWords(
        _ example: Example, _ encoded: TokenizedExample, of model: TrainedModel, _ task: Int, _ place: String
    ) throws {
        guard !example.words.isEmpty else { return }
        let count = encoded.tokenLabels.count { $0 != TokenLabel.none }
        guard count < example.words.count else { return }
        throw LaunchError(
            "\(place): \(example.words.count) words, of which \(count) fit into the \(model.maximumLength(task: task)) tokens of `max_length`; "
                + "divide the sentence")
    }

    private func example(_ line: Data, number: Int, of task: TaskDefinition, _ file: String) throws -> Example {
        jsonInput
            ? try task.unlabelledJSONExample(line, number: number, file: file)
            : try task.unlabelledExample(line, number: number, file: file)
    }
}
