import Data
import Foundation
import Storage

/// The files that the GLUE server takes: `index` and `prediction` for every row of a test set, in order.
public struct GlueSubmission {
    /// One file of a submission, and where its rows are.
    struct Part {
        /// `CoLA.tsv` and so on.
        let file: String
        let task: Int
        let split: String
        /// Where the rows are, if not where the task's are.
        var path: String?
    }

    /// The server's names by ours, written in small letters and without other characters.
    private static let officialNames = [
        "cola": "CoLA", "sst": "SST-2", "sst2": "SST-2", "mrpc": "MRPC", "stsb": "STS-B", "qqp": "QQP", "qnli": "QNLI",
        "rte": "RTE", "wnli": "WNLI", "mnli": "MNLI",
    ]
    /// The tasks whose classes the server wants by name; the others' by number.
    private static let withLabelNames: Set<String> = ["MNLI", "QNLI", "RTE"]

    private let model: TrainedModel
    private let folder: String

    /// A submission of a model's GLUE tasks into `folder`.
    public init(_ model: TrainedModel, folder: String) {
        self.model = model
        self.folder = folder
    }

    /// Writes a file for each GLUE task that the model has; says which those are and which are missing.
    public func write(report: (String) -> Void) throws {
        let parts = GlueSubmission.parts(of: model.tasks, dataFolder: model.settings.data)
        guard !parts.isEmpty else {
            throw TrainingError(
                "none of the tasks \(model.tasks.map(\.name).joined(separator: ", ")) is one of GLUE's with the official files (`format: glue`)"
            )
        }
        try GlueSubmission.requireOneTaskForEach(parts, tasks: model.tasks)
        // All are read before the first is scored: a bad row in the last file shows now, with nothing written.
        let examplesOfParts = try parts.map(examples)
        try createFolder(folder)
        for (part, examples) in zip(parts, examplesOfParts) {
            try write(part.file, model.predict(examples, task: part.task), of: model.tasks[part.task])
            report("\(folder)/\(part.file): \(GlueSubmission.summary(part.file, rows: examples.count))")
        }
        let missing = GlueSubmission.testSetSizes.map(\.file).filter { file in !parts.contains { $0.file == file } }
        if !missing.isEmpty {
            report(
                "the server also wants \(missing.joined(separator: ", ")), of tasks that this model was not trained for"
            )
        }
    }

    /// The files that the server wants, and the rows of GLUE's test sets.
    private static let testSetSizes: [(file: String, rows: Int)] = [
        ("CoLA.tsv", 1063), ("SST-2.tsv", 1821), ("MRPC.tsv", 1725), ("STS-B.tsv", 1379), ("MNLI-m.tsv", 9796),
        ("MNLI-mm.tsv", 9847), ("QNLI.tsv", 5463), ("QQP.tsv", 390_965), ("RTE.tsv", 3000), ("WNLI.tsv", 146),
        ("AX.tsv", 1104),
    ]

    /// How many rows a file has, and whether the server takes as many.
    static func summary(_ file: String, rows: Int) -> String {
        guard let whole = testSetSizes.first(where: { $0.file == file })?.rows, rows != whole else {
            return "\(rows) rows"
        }
        return "\(rows) rows, but GLUE's test set has \(whole): the server will refuse it"
    }

    static func parts(of tasks: [TaskDefinition], dataFolder: String) -> [Part] {
        tasks.enumerated().flatMap { index, task -> [Part] in
            guard task.format == .glue, let name = officialName(task) else { return [] }
            let parts = task.testSplits.map { split in
                let suffix = split.hasPrefix("mismatched") ? "-mm" : name == "MNLI" ? "-m" : ""
                return Part(file: "\(name)\(suffix).tsv", task: index, split: split)
            }
            guard name == "MNLI", let split = parts.first?.split, case .folder(let data) = task.data else {
                return parts
            }
            // Where the published archive has it, beside MNLI's own folder.
            let diagnostic = absolutePath("\(data)/../diagnostic/diagnostic.tsv", in: dataFolder)
            guard FileManager.default.fileExists(atPath: diagnostic) else { return parts }
            return parts + [Part(file: "AX.tsv", task: index, split: split, path: diagnostic)]
        }
    }

    /// Throws where two tasks would write the same file.
    static func requireOneTaskForEach(_ parts: [Part], tasks: [TaskDefinition]) throws {
        for (index, part) in parts.enumerated() {
            if let other = parts[..<index].first(where: { $0.file == part.file }) {
                throw TrainingError(
                    "the tasks \(tasks[other.task].name) and \(tasks[part.task].name) would both be \(part.file); "
                        + "a submission is made of a run that has one of them")
            }
        }
    }

    /// All rows of a part's file; throws where one cannot be read, since the server wants them all.
    private func examples(of part: Part) throws -> [TokenizedExample] {
        var task = model.tasks[part.task]
        if let path = part.path { task.data = .files([part.split: path]) }
        let contents = try model.contents(task, split: part.split)
        guard contents.leftOut.count == 0 else {
            throw TrainingError(
                (contents.leftOut.list + [
                    "\(part.file): the server wants every row, and \(contents.leftOut.count) cannot be read"
                ])
                .joined(separator: "\n"))
        }
        return contents.rows
    }

    private static func officialName(_ task: TaskDefinition) -> String? {
        officialNames[task.name.lowercased().filter { $0.isLetter || $0.isNumber }]
    }

    private func write(_ file: String, _ predictions: [Prediction], of task: TaskDefinition) throws {
        let namesLabels = GlueSubmission.officialName(task).map(GlueSubmission.withLabelNames.contains) ?? false
        var text = "index\tprediction\n"
        for (row, prediction) in predictions.enumerated() {
            let answer: String
            if case .regression = task.kind {
                // The one task that asks for numbers is STS-B: from 0 to 5, whether its definition says so or not.
                answer = String(format: "%.3f", min(max(prediction.scores.first!, 0), 5))
            } else {
                answer = namesLabels ? prediction.answer : "\(prediction.index)"
            }
            text += "\(row)\t\(answer)\n"
        }
        try replaceFile(at: "\(folder)/\(file)") {
            try Foundation.Data(text.utf8).write(to: URL(fileURLWithPath: $0))
        }
    }
}
