import Data
import Foundation
import Storage

/// Turns texts into token files once: a file is found again by the contents of all that it was made from.
struct Preparation {
    private static let formatVersion = "1"
    private let settings: RunSettings
    private let encoder: EncoderFiles
    private let tokenizerFingerprint: String
    /// Made only where a file is not there yet: building its tables takes longer than a start with prepared files.
    private lazy var tokenizer = Result { try encoder.tokenizer() }

    /// - Parameter encoder: where vocabulary and options of the tokenizer come from.
    init(_ settings: RunSettings, encoder: EncoderFiles) throws {
        self.settings = settings
        self.encoder = encoder
        tokenizerFingerprint = try encoder.tokenizerFingerprint()
    }

    /// The paths of a task's token files by split, making those that are not there yet.
    /// - Parameter report: receives a sentence for each file that is made, and one for each row listed as left out.
    mutating func prepare(_ task: TaskDefinition, report: (String) -> Void) throws -> [String: String] {
        var paths: [String: String] = [:]
        for split in [TaskDefinition.trainingSplit] + task.developmentSplits {
            try StopRequest.endBeforeTraining()
            paths[split] = try prepare(task, split: split, report: report)
        }
        return paths
    }

    private mutating func prepare(_ task: TaskDefinition, split: String, report: (String) -> Void) throws -> String {
        try requireVocabulary(task)
        let length = try maximumLength(task)
        let attributes = try attributes(task, split: split, length: length)
        let key = attributes.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)\n" }.joined()
        let name = "\(task.name)-\(split)-\(Checksum.sha256(of: Array(key.utf8)).prefix(16)).h5"
        let path = "\(settings.prepared)/\(name)"
        if FileManager.default.fileExists(atPath: path) {
            do {
                try PreparedTask.open(path, of: task, encoder.sizes)
                return path
            } catch {
                report("\(error); made again")
            }
        }
        try make(path, task, split: split, length: length, attributes, report: report)
        return path
    }

    private func requireVocabulary(_ task: TaskDefinition) throws {
        guard case .maskedWords(let classCount, _) = task.kind, classCount != encoder.sizes.vocabularySize else {
            return
        }
        throw TrainingError(
            "`n_class` of task \(task.name) is \(classCount), and the encoder of \(encoder.place) has "
                + "\(encoder.sizes.vocabularySize) word pieces to be told: it must be the same number")
    }

    /// All that a token file depends on.
    private mutating func attributes(_ task: TaskDefinition, split: String, length: Int) throws -> [String: String] {
        let source = try task.path(ofSplit: split, dataFolder: settings.data)
        do {
            try requireRegularFile(source)
        } catch {
            var cutWordCount = 0
            // It says which key names the file.
            _ = try contents(of: task, split: split, length: length, cutWordCount: &cutWordCount)
            throw TrainingError("\(source): \(error.reason)")
        }
        let isTraining = split == TaskDefinition.trainingSplit
        var attributes = [
            "format_version": Preparation.formatVersion, "task": task.name, "split": split, "kind": "\(task.kind)",
            "is_pair": "\(task.isPair)", "reader": "\(task.format)", "max_length": "\(length)",
            "max_examples": isTraining ? task.maximumExamples.map(String.init) ?? "all" : "all",
            "source_sha256": try Checksum.sha256(ofFile: source), "tokenizer_sha256": tokenizerFingerprint,
        ]
        // Only where it is said: files that were made before there was a choice are found again.
        if task.onBadRow != .error { attributes["on_bad_row"] = task.onBadRow.rawValue }
        // Files of JSON lines that were made before soft labels were read are made again.
        if task.readsSoftLabels, isTraining { attributes["soft_labels"] = "read" }
        return attributes
    }

    private mutating func make(
        _ path: String, _ task: TaskDefinition, split: String, length: Int, _ attributes: [String: String],
        report: (String) -> Void
    ) throws {
        let start = Date()
        var cutWordCount = 0
        let contents = try contents(of: task, split: split, length: length, cutWordCount: &cutWordCount)
        var builder = TokenFile.Builder()
        for example in contents.rows {
            RankPosition.advance()
            if let context = example.context {
                builder.append(question: example, context)
                continue
            }
            let sequences = example.sequences.map { ($0.tokens, $0.segments) }
            builder.append(
                sequences, label: example.label ?? .nan, uid: example.uid, tokenLabels: example.tokenLabels,
                softLabels: example.softLabels)
        }
        try createFolder(settings.prepared)
        try builder.write(to: path, attributes: attributes)
        let seconds = String(format: "%.1f", Date().timeIntervalSince(start))
        let units =
            task.documentStride == nil
            ? "\(builder.exampleCount) examples"
            : "\(contents.rows.count) questions in \(builder.exampleCount) windows"
        report("prepared \(task.name) \(split): \(units) in \(seconds) s\(contents.leftOut.summary)")
        contents.leftOut.list.forEach(report)
        if cutWordCount > 0 {
            report(
                "\(task.name) \(split): \(cutWordCount) words lie beyond `max_length` (\(length)) and are neither learnt nor scored"
            )
        }
    }

    /// Writes every split of a task that is there as mt-dnn's preprocessed JSON lines, `TASK_SPLIT.json` in `folder`.
    /// - Parameter report: receives a sentence for each file that is written, and one for each row listed as left out.
    mutating func writeJSONLines(_ task: TaskDefinition, to folder: String, report: (String) -> Void) throws {
        for split in task.splits {
            let source = try task.path(ofSplit: split, dataFolder: settings.data)
            if task.testSplits.contains(split), !FileManager.default.fileExists(atPath: source) { continue }
            var cutWordCount = 0
            let contents = try contents(
                of: task, split: split, length: maximumLength(task), cutWordCount: &cutWordCount)
            let path = "\(folder)/\(task.name)_\(split).json"
            let lines = try contents.rows.map { try task.jsonLine(of: $0, softLabels: $0.softLabels) + "\n" }
            try replaceFile(at: path) {
                try Foundation.Data(lines.joined().utf8).write(to: URL(fileURLWithPath: $0))
            }
            report("\(path): \(contents.rows.count) examples\(contents.leftOut.summary)")
            contents.leftOut.list.forEach(report)
        }
    }

    /// Most tokens of a sequence of a task.
    private func maximumLength(_ task: TaskDefinition) throws -> Int {
        let length = task.maximumLength ?? settings.maximumLength
        guard length <= encoder.sizes.maximumPositions else {
            throw TrainingError(
                "`max_length` of task \(task.name) is \(length), and the encoder has \(encoder.sizes.maximumPositions) positions"
            )
        }
        return length
    }

    /// The examples in tokens. `cutWordCount` counts labelled words that are not among them.
    private mutating func contents(
        of task: TaskDefinition, split: String, length: Int, cutWordCount: inout Int
    ) throws -> FileContents<TokenizedExample> {
        if task.format == .jsonLines {
            return try task.tokenizedContents(
                ofSplit: split, dataFolder: settings.data, vocabularySize: encoder.sizes.vocabularySize,
                maximumLength: length)
        }
        let tokenizer = try tokenizer.get()
        if case .maskedWords = task.kind {
            let pairs = try task.documents(ofSplit: split, dataFolder: settings.data).map { document in
                RankPosition.advance()
                return document.sentences.map { tokenizer.tokens(of: $0) }
            }.pairs(tokenizer.vocabulary, maximumLength: length, limit: task.mostRows(ofSplit: split))
            guard !pairs.rows.isEmpty else {
                throw TrainingError("task \(task.name), split \(split): the text is too short for a pair of sentences")
            }
            return pairs
        }
        return try task.contents(ofSplit: split, dataFolder: settings.data).map { example in
            RankPosition.advance()
            let encoded = tokenizer.encode(example, maximumLength: length, documentStride: task.documentStride)
            if task.labelsWords {
                cutWordCount += example.words.count - encoded.tokenLabels.count { $0 != TokenLabel.none }
            }
            return encoded
        }
    }
}
