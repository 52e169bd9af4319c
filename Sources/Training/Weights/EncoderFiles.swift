import Data
import Foundation
import Model
import Storage

extension EncoderSource {
    /// The folder or file that a user would look at.
    fileprivate var place: String {
        switch self {
        case .folder(let folder): folder
        case .sizes(let fresh): fresh.vocabulary
        }
    }
}

/// Where a run's encoder comes from: sizes, first values and tokenizer.
package struct EncoderFiles {
    private let source: EncoderSource
    private let seed: UInt64
    /// The encoder's sizes.
    package let sizes: EncoderSizes
    private let initializerRange: Double
    /// The folder or file that a user would look at.
    var place: String { source.place }

    /// Reads `config.json`, or the vocabulary's size for an encoder that begins from nothing.
    package init(_ settings: RunSettings) throws {
        source = settings.encoder
        seed = settings.seed
        switch source {
        case .folder(let folder):
            sizes = try BERTConfiguration(path: "\(folder)/config.json").sizes
            initializerRange = 0.02
        case .sizes(let fresh):
            initializerRange = fresh.initializerRange
            sizes = EncoderSizes(
                vocabularySize: try Vocabulary(path: fresh.vocabulary).count, hiddenSize: fresh.hiddenSize,
                layerCount: fresh.layerCount, headCount: fresh.attentionHeadCount,
                intermediateSize: fresh.intermediateSize, maximumPositions: fresh.maximumPositions)
        }
        if settings.maximumLength > sizes.maximumPositions {
            throw TrainingError(
                "`max_length` is \(settings.maximumLength), and the encoder of \(source.place) has "
                    + "\(sizes.maximumPositions) positions")
        }
    }

    /// The tokenizer that the encoder was or will be trained with.
    package func tokenizer() throws -> Tokenizer {
        let tokenizer: Tokenizer
        switch source {
        case .folder(let folder): tokenizer = try Tokenizer(folder: folder)
        case .sizes(let fresh):
            tokenizer = Tokenizer(vocabulary: try Vocabulary(path: fresh.vocabulary), lowercases: fresh.lowercases)
        }
        guard tokenizer.vocabulary.count <= sizes.vocabularySize else {
            throw TrainingError(
                "the vocabulary of \(source.place) has \(tokenizer.vocabulary.count) word pieces, and the encoder "
                    + "embeddings for \(sizes.vocabularySize)")
        }
        // Some round embeddings up, by hundreds at most; a file that was cut off would make [UNK] of words without a word.
        guard sizes.vocabularySize - tokenizer.vocabulary.count < 1024 else {
            throw TrainingError(
                "the vocabulary of \(source.place) has only \(tokenizer.vocabulary.count) word pieces for the encoder's "
                    + "\(sizes.vocabularySize) embeddings: it is cut off, or another encoder's; fetch it again")
        }
        return tokenizer
    }

    /// What masks a task's texts; nil where the task tells something else than masked word pieces.
    func masking(_ task: TaskDefinition, longest: Int) throws -> Masking? {
        guard case .maskedWords(_, let wholeWords) = task.kind else { return nil }
        let vocabulary =
            switch source {
            case .folder(let folder): try Vocabulary(path: "\(folder)/vocab.txt")
            case .sizes(let fresh): try Vocabulary(path: fresh.vocabulary)
            }
        return Masking(vocabulary, embeddingCount: sizes.vocabularySize, wholeWords: wholeWords, longest: longest)
    }

    /// SHA-256 of the files that the encoder's sizes and first values come from; empty where there are none.
    func fingerprint() throws -> String {
        guard case .folder(let folder) = source else { return "" }
        return try ["config.json", "model.safetensors"].map { try Checksum.sha256(ofFile: "\(folder)/\($0)") }
            .joined(separator: " ")
    }

    /// What token ids depend on besides the text.
    func tokenizerFingerprint() throws -> String {
        switch source {
        case .sizes(let fresh):
            return try Checksum.sha256(ofFile: fresh.vocabulary) + (fresh.lowercases ? " lower case" : "")
        case .folder(let folder):
            let options = "\(folder)/tokenizer_config.json"
            return try Checksum.sha256(ofFile: "\(folder)/vocab.txt")
                + (FileManager.default.fileExists(atPath: options) ? " " + Checksum.sha256(ofFile: options) : "")
        }
    }

    /// Copies vocabulary and options into a folder, as Hugging Face's `BertTokenizer` reads them.
    func copyTokenizer(to folder: String, maximumLength: Int) throws {
        switch source {
        case .folder(let original):
            for name in ["vocab.txt", "tokenizer_config.json", "special_tokens_map.json", "tokenizer.json"]
            where FileManager.default.fileExists(atPath: "\(original)/\(name)") {
                try FileManager.default.copyItem(atPath: "\(original)/\(name)", toPath: "\(folder)/\(name)")
            }
        case .sizes(let fresh):
            try FileManager.default.copyItem(atPath: fresh.vocabulary, toPath: "\(folder)/vocab.txt")
            let options: [String: Any] = [
                "tokenizer_class": "BertTokenizer", "do_lower_case": fresh.lowercases,
                "model_max_length": maximumLength,
            ]
            let data = try JSONSerialization.data(withJSONObject: options, options: [.prettyPrinted, .sortedKeys])
            try data.write(to: URL(fileURLWithPath: "\(folder)/tokenizer_config.json"))
        }
    }

    /// Gives every parameter its first value: the encoder's from its folder, all others drawn by seed and name.
    /// - Returns: a sentence for each thing that a user might not expect.
    package func initialize(_ model: MultiTaskModel) throws -> [String] {
        let initialization = Initialization(seed: seed, deviation: initializerRange)
        guard case .folder(let folder) = source else {
            for parameter in model.parameters.all { initialization.initialize(parameter) }
            return []
        }
        let weights = try PretrainedWeights(path: "\(folder)/model.safetensors")
        try weights.requireNoLayers(beyond: sizes.layerCount)
        var notes: [String] = []
        for group in model.parameters.groups {
            for parameter in group.parameters {
                let mayLack = group.task != nil || group.kind == .pooler
                if mayLack && !weights.containsPart(of: group, with: parameter) {
                    initialization.initialize(parameter)
                } else {
                    try weights.load(parameter)
                }
            }
            if group.kind == .pooler, !group.parameters.allSatisfy(weights.contains) {
                notes.append("\(folder) has no pooler: it begins from random values")
            }
            if group.parameters.contains(where: {
                $0.name.contains(".predictions.") && !weights.containsPart(of: group, with: $0)
            }) {
                notes.append(
                    "\(folder) has no head for masked words (cls.predictions): \(group.name) begins from random values")
            }
        }
        return notes
    }
}
