import Data
import Foundation
import Kernels
import Model

/// A checkpoint's encoder and heads, ready to score texts in this process.
///
/// The scores are those that the run's own evaluation gives, bit for bit: they depend neither on what is scored together nor on threads.
public final class TrainedModel {
    /// The tasks, in the order of their heads.
    public let tasks: [TaskDefinition]
    let settings: RunSettings
    private let tokenizer: Tokenizer
    private let model: MultiTaskModel
    private let batch: PackedBatch

    /// Loads a checkpoint and calls `body` with it.
    /// - Parameters:
    ///   - path: a checkpoint, or a run folder for its best or else newest one.
    ///   - threads: how many compute; the scores do not depend on it.
    ///   - overrides: `KEY=VALUE` for settings that may differ: where data and vocabulary lie now, and sequences scored at once.
    ///   - probe: looks into the checkpoint before this process does.
    ///   - report: receives sentences that say what was chosen.
    public static func with<Result>(
        _ path: String, threads: Int = 1, overrides: [String] = [], probe: CheckpointProbe = .none,
        report: (String) -> Void, _ body: (TrainedModel) throws -> Result
    ) throws -> Result {
        // A model has scratch memory for each thread of the team that makes it.
        try ThreadTeam.with(threads: threads) {
            try body(TrainedModel(path, overrides: overrides, probe: probe, report: report))
        }
    }

    private init(
        _ path: String, overrides: [String], probe: CheckpointProbe, report: (String) -> Void
    ) throws {
        let checkpoint = try Checkpoint.find(path, probe: probe, report: report)
        settings = try checkpoint.settings(overrides)
        tasks = try checkpoint.taskDefinitions(settings)
        let files = try checkpoint.encoderFiles(settings)
        tokenizer = try files.tokenizer()
        let longest = tasks.reduce(settings.maximumLength) { max($0, $1.maximumLength ?? 0) }
        guard longest <= files.sizes.maximumPositions else {
            throw TrainingError(
                "\(checkpoint.path): `max_length` is \(longest), and the encoder has \(files.sizes.maximumPositions) positions"
            )
        }
        let capacity = BatchCapacity(
            tokens: settings.evaluationBatchSize * longest, sequences: settings.evaluationBatchSize, longest: longest)
        model = MultiTaskModel(
            encoder: files.sizes, heads: tasks.map { [settings] in $0.head(settings) },
            dropout: .init(hidden: 0, attention: 0), capacity: capacity, gradientBuffers: 0, touchedWords: 1,
            recomputes: true)
        batch = PackedBatch(capacity: capacity, tree: SliceTree(sliceCount: 1, local: 0..<1))
        try load(checkpoint)
    }

    private func load(_ checkpoint: Checkpoint) throws {
        let parameters = Dictionary(uniqueKeysWithValues: model.parameters.all.map { ($0.name, $0) })
        guard parameters.mapValues(\.shape) == checkpoint.manifest.origin.parameters else {
            throw TrainingError("\(checkpoint.path): its tensors are not those of its settings and tasks")
        }
        try checkpoint.forEachPart { file, part in
            if let parameter = parameters[part.name] { try part.read(from: file, into: parameter) }
        }
    }

    /// The number of the task called `name`, or of the only one; throws for one that is not there or answers nothing.
    public func task(_ name: String?) throws -> Int {
        let index = try number(ofTask: name)
        if case .maskedWords = tasks[index].kind {
            throw TrainingError(
                "task \(tasks[index].name) is for pre-training and answers nothing; its scores on held-out text are in the run's "
                    + "metrics.jsonl, and `mtdnn export --hugging-face` writes its head")
        }
        return index
    }

    private func number(ofTask name: String?) throws -> Int {
        let names = tasks.map(\.name)
        guard let name else {
            guard tasks.count == 1 else {
                throw TrainingError("--task must name one of \(names.joined(separator: ", "))")
            }
            return 0
        }
        guard let index = names.firstIndex(of: name) else {
            throw TrainingError("--task \(name): the checkpoint has \(names.joined(separator: ", "))")
        }
        return index
    }

    /// The examples of one split of a task, as the run would read them, and what was left out.
    public func contents(task index: Int, split: String) throws -> FileContents<TokenizedExample> {
        let task = tasks[index]
        guard task.splits.contains(split) else {
            throw TrainingError("--split \(split): task \(task.name) has \(task.splits.joined(separator: ", "))")
        }
        return try contents(task, split: split)
    }

    /// The examples of a split of `task`, whose files may be others than the run's, and what was left out.
    func contents(_ task: TaskDefinition, split: String) throws -> FileContents<TokenizedExample> {
        let length = maximumLength(task)
        if task.format == .jsonLines {
            return try task.tokenizedContents(
                ofSplit: split, dataFolder: settings.data, vocabularySize: model.encoder.sizes.vocabularySize,
                maximumLength: length)
        }
        return try task.contents(ofSplit: split, dataFolder: settings.data).map {
            tokenizer.encode($0, maximumLength: length, documentStride: task.documentStride)
        }
    }

    /// An example in tokens.
    public func encode(_ example: Example, task index: Int) -> TokenizedExample {
        tokenizer.encode(
            example, maximumLength: maximumLength(tasks[index]), documentStride: tasks[index].documentStride)
    }

    /// Most tokens of a sequence of a task.
    public func maximumLength(task index: Int) -> Int { maximumLength(tasks[index]) }

    private func maximumLength(_ task: TaskDefinition) -> Int { task.maximumLength ?? settings.maximumLength }

    /// What a task's head says to each example.
    public func predict(_ examples: [TokenizedExample], task index: Int) -> [Prediction] {
        let scores = score(examples.flatMap(\.sequences), head: index)
        var next = 0
        return examples.map { example in
            let start = next
            let rows =
                tasks[index].scoresTokens
                ? example.sequences.reduce(0) { $0 + $1.tokens.count } : example.sequences.count
            next += rows * tasks[index].outputCount
            return Prediction(example, scores[start..<next], of: tasks[index])
        }
    }

    /// The outputs of a head for each sequence, one after another [sequences · outputs].
    private func score(_ sequences: [EncodedText], head index: Int) -> [Float] {
        let outputs = tasks[index].outputCount
        var scores: [Float] = []
        scores.reserveCapacity(sequences.count * outputs)
        forEachBatch(of: sequences) { batch in
            let result = model.forward(batch, head: index)
            for row in 0..<result.rows { scores += UnsafeBufferPointer(start: result.row(row), count: outputs) }
        }
        return scores
    }

    /// A vector of the encoder's output for each text.
    public func sentenceVectors(_ texts: [String], _ pooling: Pooling) -> [[Float]] {
        var vectors: [[Float]] = []
        forEachBatch(of: texts.map(encode)) { vectors += model.sentenceVectors($0, pooling) }
        return vectors
    }

    /// The word pieces of each text, [CLS] and [SEP] among them, with the encoder's output for each.
    public func tokenVectors(_ texts: [String]) -> [(pieces: [String], vectors: [[Float]])] {
        let encoded = texts.map(encode)
        var vectors: [[[Float]]] = []
        forEachBatch(of: encoded) { vectors += model.tokenVectors($0) }
        return zip(encoded, vectors).map { text, vectors in
            (text.tokens.map { tokenizer.vocabulary.token($0) }, vectors)
        }
    }

    private func encode(_ text: String) -> EncodedText {
        tokenizer.encode(text, maximumLength: settings.maximumLength)
    }

    private func forEachBatch(of sequences: [EncodedText], _ body: (PackedBatch) -> Void) {
        for first in stride(from: 0, to: sequences.count, by: batch.capacity.sequences) {
            batch.clear()
            for sequence in sequences[first..<min(first + batch.capacity.sequences, sequences.count)] {
                batch.append(sequence)
            }
            batch.endSlice()
            batch.random = nil
            body(batch)
        }
    }
}

extension PackedBatch {
    /// Appends a text as a unit of its own, without a label.
    func append(_ text: EncodedText) {
        text.tokens.withUnsafeBufferPointer { tokens in
            text.segments.withUnsafeBufferPointer { append(tokens: tokens, segments: $0, number: 0) }
        }
        endUnit(label: 0)
    }
}
