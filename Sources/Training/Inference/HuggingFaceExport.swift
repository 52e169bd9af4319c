import Data
import Foundation
import Model
import Storage

/// A checkpoint as a folder that Hugging Face's transformers load: `config.json`, `model.safetensors`, `vocab.txt`, `tokenizer_config.json`.
///
/// Without a task it is a `BertModel`; with one a `BertForSequenceClassification` whose logits are the head's scores, a
/// `BertForTokenClassification` where words are labelled, a `BertForQuestionAnswering` where answers are found, or a `BertForPreTraining` where masked words
/// are told. A ranking head becomes a model with one label that scores a query and a candidate, as cross-encoders are.
public struct HuggingFaceExport {
    private let checkpoint: Checkpoint
    private let settings: RunSettings
    private let files: EncoderFiles
    private let task: TaskDefinition?

    /// The export of the checkpoint at `path`.
    /// - Parameters:
    ///   - path: a checkpoint, or a run folder for its best or else newest one.
    ///   - task: whose head is written too; its encoder alone where nil.
    ///   - overrides: `KEY=VALUE` for where the vocabulary lies now.
    ///   - probe: looks into the checkpoint before this process does.
    ///   - report: receives sentences that say what was chosen.
    public init(
        _ path: String, task name: String?, overrides: [String], probe: CheckpointProbe = .none,
        report: (String) -> Void
    ) throws {
        checkpoint = try Checkpoint.find(path, probe: probe, report: report)
        settings = try checkpoint.settings(overrides)
        files = try checkpoint.encoderFiles(settings)
        let tasks = try checkpoint.taskDefinitions(settings)
        task = try name.map { name in
            guard let task = tasks.first(where: { $0.name == name }) else {
                throw TrainingError(
                    "--task \(name): the checkpoint has \(tasks.map(\.name).joined(separator: ", "))")
            }
            guard !task.usesStochasticAnswerNetwork else {
                throw TrainingError(
                    "--task \(name): has the stochastic answer network, which transformers does not know; without --task the encoder is "
                        + "exported alone")
            }
            return task
        }
    }

    /// Writes the folder, which must not be there yet; it appears whole or not at all.
    public func write(to folder: String, report: (String) -> Void) throws {
        guard !FileManager.default.fileExists(atPath: folder) else {
            throw TrainingError("\(folder): exists; remove it, or give another name")
        }
        try replaceFile(at: folder) { partial in
            try createFolder(partial)
            do {
                try write(try configuration(), to: "\(partial)/config.json")
                try SafeTensors.write(try tensors(), to: "\(partial)/model.safetensors")
                try files.copyTokenizer(to: partial, maximumLength: files.sizes.maximumPositions)
            } catch {
                do { try removeIfPresent(partial) } catch let left { throw TrainingError("\(error); \(left)") }
                throw error
            }
        }
        let what = task.map { "encoder and head \($0.name)" } ?? "encoder"
        report("wrote \(what) of step \(checkpoint.step) to \(folder)")
    }

    /// The tensors under Hugging Face's names, sorted.
    private func tensors() throws -> [SafeTensors.NamedTensor] {
        var values: [String: [Float]] = [:]
        try checkpoint.forEachPart { shard, part in
            guard storedName(part.name) != nil else { return }
            values[part.name, default: []] += try shard.read("\(Shard.kinds[0])/\(part.name)", as: Float.self)
        }
        let shapes = checkpoint.manifest.origin.parameters
        return values.keys.sorted().map { (storedName($0)!, shapes[$0]!, values[$0]!) }
    }

    /// The name that transformers give a parameter; nil for one that is left out.
    private func storedName(_ name: String) -> String? {
        guard name.hasPrefix("heads.") else {
            // Transformers' model for tokens has no pooler.
            if let task, task.scoresTokens, name.hasPrefix("pooler.") { return nil }
            return task == nil ? name : "bert.\(name)"
        }
        guard let task, name.hasPrefix("heads.\(task.name).") else { return nil }
        let own = name.dropFirst("heads.\(task.name).".count)
        return architecture == "BertForPreTraining" ? "cls.\(own)" : String(own)
    }

    private var architecture: String {
        switch task?.kind {
        case nil: "BertModel"
        case .labelling: "BertForTokenClassification"
        case .span: "BertForQuestionAnswering"
        case .maskedWords: "BertForPreTraining"
        case .classification, .regression, .ranking: "BertForSequenceClassification"
        }
    }

    private func configuration() throws -> [String: Any] {
        let sizes = files.sizes
        var entries: [String: Any] = [
            "architectures": [architecture], "model_type": "bert",
            "hidden_act": "gelu", "position_embedding_type": "absolute", "torch_dtype": "float32", "pad_token_id": 0,
            "vocab_size": sizes.vocabularySize, "hidden_size": sizes.hiddenSize, "num_hidden_layers": sizes.layerCount,
            "num_attention_heads": sizes.headCount, "intermediate_size": sizes.intermediateSize,
            "max_position_embeddings": sizes.maximumPositions, "type_vocab_size": sizes.segmentCount,
            "layer_norm_eps": decimal(sizes.epsilon), "hidden_dropout_prob": decimal(settings.dropout),
            "attention_probs_dropout_prob": decimal(settings.dropout),
        ]
        guard let task, architecture != "BertForPreTraining" else { return entries }
        entries["classifier_dropout"] = decimal(task.dropout ?? settings.taskDropout)
        let labels = (0..<task.outputCount).map(label)
        entries["id2label"] = Dictionary(uniqueKeysWithValues: labels.enumerated().map { ("\($0)", $1) })
        entries["label2id"] = Dictionary(uniqueKeysWithValues: labels.enumerated().map { ($1, $0) })
        switch task.kind {
        case .classification: entries["problem_type"] = "single_label_classification"
        case .regression, .ranking: entries["problem_type"] = "regression"
        case .labelling, .span, .maskedWords: break
        }
        return entries
    }

    private func label(_ index: Int) -> String {
        switch task?.kind {
        case .span: index == 0 ? "start" : "end"
        case .regression, .ranking, .maskedWords, nil: "score"
        case .classification, .labelling: task?.labelName(index) ?? ""
        }
    }

    /// The shortest decimal number that a Float came from; through Double 0.1 would be written with eight more digits.
    private func decimal(_ value: Float) -> NSDecimalNumber { NSDecimalNumber(string: "\(value)") }

    private func write(_ entries: [String: Any], to path: String) throws {
        let data = try JSONSerialization.data(
            withJSONObject: entries, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
        try data.write(to: URL(fileURLWithPath: path))
    }
}
