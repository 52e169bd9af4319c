import Foundation
import Model
import Storage
import Testing

@testable import Training

/// The folder of a pretrained encoder: what is read, and what is refused by name.
@Suite final class EncoderFilesTests {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("encoder-\(UUID().uuidString)")
        .path
    private static let configuration: [String: any Sendable] = [
        "model_type": "bert", "hidden_act": "gelu", "vocab_size": 11, "hidden_size": 8, "num_hidden_layers": 2,
        "num_attention_heads": 2, "intermediate_size": 12, "max_position_embeddings": 16, "type_vocab_size": 2,
        "layer_norm_eps": 1e-6, "position_embedding_type": "absolute",
    ]

    init() throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try configure([:])
    }

    deinit {
        do { try FileManager.default.removeItem(atPath: folder) } catch { Issue.record(error) }
    }

    private func configure(_ changes: [String: (any Sendable)?]) throws {
        var entries = Self.configuration
        for (key, value) in changes { entries[key] = value }
        let data = try JSONSerialization.data(withJSONObject: entries)
        try data.write(to: URL(fileURLWithPath: "\(folder)/config.json"))
    }

    private var settings: RunSettings {
        var settings = RunSettings(encoder: .folder(folder), tasks: "", data: "", train: [], folder: "")
        settings.maximumLength = 16
        return settings
    }

    private func makeModel(
        _ files: EncoderFiles, head: HeadDefinition.Kind = .classification(classes: 2)
    ) -> MultiTaskModel {
        MultiTaskModel(
            encoder: files.sizes, heads: [HeadDefinition(task: "cola", kind: head, dropout: 0)],
            dropout: .init(hidden: 0, attention: 0), capacity: .init(tokens: 1, sequences: 1, longest: 1),
            gradientBuffers: 0, touchedWords: 1)
    }

    /// Every encoder tensor with values of its own, as `change` would have it stored.
    private func writeWeights(_ change: (SafeTensors.NamedTensor) -> SafeTensors.NamedTensor?) throws {
        var tensors: [SafeTensors.NamedTensor] = [("cls.predictions.bias", [11], Array(repeating: 9, count: 11))]
        for parameter in makeModel(try EncoderFiles(settings)).parameters.all where !parameter.name.hasPrefix("heads.")
        {
            let values = (0..<parameter.count).map { Float(parameter.offset + $0) }
            if let tensor = change((parameter.name, parameter.shape, values)) { tensors.append(tensor) }
        }
        try SafeTensors.write(tensors, to: "\(folder)/model.safetensors")
    }

    /// What refuses the folder, without the folder's name.
    private func refusal() -> String {
        do {
            let files = try EncoderFiles(settings)
            _ = try files.initialize(makeModel(files))
            return "nothing"
        } catch {
            return "\(error)".replacingOccurrences(of: folder + "/", with: "")
        }
    }

    @Test(arguments: ["predictions.bias", "predictions.decoder.bias"])
    func `A head for pre-training is taken from the folder, or said to begin from random values`(bias: String) throws {
        try writeWeights { $0 }
        let files = try EncoderFiles(settings)
        let model = makeModel(files, head: .maskedWords)
        let head = model.parameters.all.filter { $0.name.hasPrefix("heads.cola.") }
        #expect(head.count == 7)
        #expect(
            try files.initialize(model) == [
                "\(folder) has no head for masked words (cls.predictions): heads.cola begins from random values"
            ])
        var stored: [SafeTensors.NamedTensor] = []
        for parameter in model.parameters.all {
            var name = parameter.name.replacingOccurrences(of: "heads.cola.", with: "cls.")
            if name == "cls.predictions.bias" { name = "cls.\(bias)" }
            stored.append((name, parameter.shape, (0..<parameter.count).map { Float(parameter.offset + $0) }))
        }
        try SafeTensors.write(stored, to: "\(folder)/model.safetensors")
        #expect(try files.initialize(model) == [])
        for parameter in head {
            #expect((0..<parameter.count).allSatisfy { parameter.pointer[$0] == Float(parameter.offset + $0) })
        }
    }

    @Test(arguments: [false, true], [false, true])
    func `Weights are found with and without prefix and under LayerNorm's old names`(prefix: Bool, old: Bool) throws {
        try writeWeights { name, shape, values in
            var name = prefix ? "bert.\(name)" : name
            if old {
                name = name.replacingOccurrences(of: "LayerNorm.weight", with: "LayerNorm.gamma")
                    .replacingOccurrences(of: "LayerNorm.bias", with: "LayerNorm.beta")
            }
            return (name, shape, values)
        }
        let files = try EncoderFiles(settings)
        #expect(
            files.sizes
                == EncoderSizes(
                    vocabularySize: 11, hiddenSize: 8, layerCount: 2, headCount: 2, intermediateSize: 12,
                    maximumPositions: 16,
                    segmentCount: 2, epsilon: 1e-6))
        let model = makeModel(files)
        #expect(try files.initialize(model) == [])
        let encoder = model.parameters.groups[0].range.lowerBound..<model.parameters.groups[2].range.upperBound
        #expect(encoder.allSatisfy { model.parameters.values[$0] == Float($0) })
        // The head's weight is drawn, its bias begins at 0.
        let head = model.parameters.groups[3].parameters
        let weight = (0..<head[0].count).map { head[0].pointer[$0] }
        #expect(Set(weight).count == 16 && weight.allSatisfy { $0 != 0 && abs($0) < 0.1 })
        #expect(head[1].pointer[0] == 0 && head[1].pointer[1] == 0)
    }

    @Test func `A folder without a pooler begins with a random one and says so; half a pooler is no pooler to lean on`()
        throws
    {
        try writeWeights { $0.name.hasPrefix("pooler.") ? nil : $0 }
        let files = try EncoderFiles(settings)
        let model = makeModel(files)
        #expect(try files.initialize(model) == ["\(folder) has no pooler: it begins from random values"])
        let weight = model.parameters.groups[2].parameters[0]
        let values = (0..<weight.count).map { weight.pointer[$0] }
        #expect(Set(values).count == 64)
        let deviation = (values.reduce(0) { $0 + $1 * $1 } / 64).squareRoot()
        #expect((0.014...0.027).contains(deviation))
    }

    @Test func `Weights that are missing, of another shape or not finite are refused by name`() throws {
        #expect(
            refusal() == "model.safetensors: not found; convert pytorch_model.bin with transformers' "
                + "save_pretrained(safe_serialization=True)")
        let name = "encoder.layer.1.attention.output.dense.weight"
        try writeWeights { $0.name == name ? nil : $0 }
        #expect(refusal() == "model.safetensors: has no \(name)")
        try writeWeights { $0.name == name ? ($0.name, [4, 16], $0.values) : $0 }
        #expect(refusal() == "model.safetensors: \(name) has shape [4, 16], where config.json asks for [8, 8]")
        try writeWeights { $0.name == name ? ("bert.\(name)", $0.shape, Array($0.values[1...]) + [.nan]) : $0 }
        #expect(refusal() == "model.safetensors: bert.\(name) holds values that are not finite")
        // A vector in a file is no matrix of one row.
        try writeWeights { $0.shape.count == 1 ? ($0.name, [1] + $0.shape, $0.values) : $0 }
        #expect(refusal().contains("has shape [1, 8], where config.json asks for [8]"))
    }

    @Test(arguments: ["roberta", "distilbert", "electra"])
    func `Other architectures are refused by name`(family: String) throws {
        try configure(["model_type": family])
        #expect(refusal() == "config.json: model_type is \(family); only bert is supported")
        // Without a model type the names of the tensors still tell.
        try configure(["model_type": nil])
        try writeWeights { ("\(family).\($0.name)", $0.shape, $0.values) }
        #expect(
            refusal() == "model.safetensors: has no embeddings.word_embeddings.weight; this is a \(family) model, "
                + "and only BERT encoders are supported")
    }

    @Test func `A configuration that BERT cannot have is refused with its key`() throws {
        let cases: [(String, (any Sendable)?, String)] = [
            ("hidden_act", "relu", "hidden_act is relu; only gelu is supported"),
            (
                "position_embedding_type", "relative_key",
                "position_embedding_type is relative_key; only absolute is supported"
            ),
            ("hidden_size", nil, "has no hidden_size"),
            ("hidden_size", 0, "hidden_size is 0, not a whole number from 1 to 65536"),
            ("hidden_size", 1e308, "hidden_size is 1e+308, not a whole number from 1 to 65536"),
            ("hidden_size", 8.5, "hidden_size is 8.5, not a whole number from 1 to 65536"),
            ("vocab_size", "11", "vocab_size is 11, not a whole number from 1 to 134217728"),
            ("num_hidden_layers", -2, "num_hidden_layers is -2, not a whole number from 1 to 250"),
            ("num_hidden_layers", 251, "num_hidden_layers is 251, not a whole number from 1 to 250"),
            ("num_attention_heads", 3, "hidden_size 8 does not divide into 3 attention heads"),
            ("layer_norm_eps", 0, "layer_norm_eps is 0, not a number between 0 and 1"),
            ("layer_norm_eps", 1e308, "layer_norm_eps is 1e+308, not a number between 0 and 1"),
            ("layer_norm_eps", "small", "layer_norm_eps is small, not a number between 0 and 1"),
        ]
        for (key, value, message) in cases {
            try configure([key: value])
            #expect(refusal() == "config.json: \(message)")
        }
        try configure(["max_position_embeddings": 15])
        #expect(refusal() == "`max_length` is 16, and the encoder of \(folder) has 15 positions")
        for (text, message) in [("{", "is not JSON"), ("[1]", "is not a JSON object")] {
            try text.write(toFile: "\(folder)/config.json", atomically: true, encoding: .utf8)
            #expect(refusal() == "config.json: \(message)")
        }
        try FileManager.default.removeItem(atPath: "\(folder)/config.json")
        #expect(
            refusal()
                == "config.json: no such file; an encoder folder holds config.json, model.safetensors and vocab.txt")
    }

    @Test func `Absent sizes are BERT's`() throws {
        try configure([
            "max_position_embeddings": nil, "type_vocab_size": nil, "layer_norm_eps": nil,
            "hidden_act": nil,
        ])
        let sizes = try EncoderFiles(settings).sizes
        #expect(sizes.maximumPositions == 512 && sizes.segmentCount == 2 && sizes.epsilon == 1e-12)
    }
}
