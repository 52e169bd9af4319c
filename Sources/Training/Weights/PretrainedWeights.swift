import Foundation
import Model
import Storage

/// `model.safetensors` of a Hugging Face BERT folder, by the names that this program gives its parameters.
struct PretrainedWeights {
    private let path: String
    private let tensors: SafeTensors
    private let storedNames: [String: String]

    /// Opens the file.
    init(path: String) throws {
        self.path = path
        guard FileManager.default.fileExists(atPath: path) else {
            throw TrainingError(
                "\(path): not found; convert pytorch_model.bin with transformers' save_pretrained(safe_serialization=True)"
            )
        }
        tensors = try SafeTensors(path)
        var names: [String: String] = [:]
        for name in tensors.names {
            if let other = names.updateValue(name, forKey: PretrainedWeights.canonical(name)) {
                throw TrainingError(
                    "\(path): holds one tensor under two names, \(other) and \(name); remove the wrong one")
            }
        }
        storedNames = names
    }

    /// Without the prefix that BertForPreTraining and its like add, and with LayerNorm's present names.
    private static func canonical(_ name: String) -> String {
        var name = name
        if name.hasPrefix("bert.") { name.removeFirst("bert.".count) }
        if name.hasSuffix("LayerNorm.gamma") { name = name.dropLast("gamma".count) + "weight" }
        if name.hasSuffix("LayerNorm.beta") { name = name.dropLast("beta".count) + "bias" }
        return name
    }

    /// Whether the file holds a parameter.
    func contains(_ parameter: Parameter) -> Bool { storedNames[parameter.name] != nil }

    /// Reads a parameter's value; throws where the file lacks it, or has it in another shape or with values that are no numbers.
    func load(_ parameter: Parameter) throws {
        guard let stored = storedNames[parameter.name] else {
            throw TrainingError("\(path): has no \(parameter.name)\(architectureHint)")
        }
        let shape = try tensors.shape(of: stored)
        guard shape == parameter.shape else {
            throw TrainingError("\(path): \(stored) has shape \(shape), where config.json asks for \(parameter.shape)")
        }
        let values = UnsafeMutableBufferPointer(start: parameter.pointer, count: parameter.count)
        try tensors.read(stored, into: values)
        guard values.allSatisfy(\.isFinite) else {
            throw TrainingError("\(path): \(stored) holds values that are not finite")
        }
    }

    /// Throws where the file holds encoder layers beyond `layerCount`, which would be left out without a word.
    func requireNoLayers(beyond layerCount: Int) throws {
        for name in storedNames.keys.sorted() where name.hasPrefix("encoder.layer.") {
            let number = name.dropFirst("encoder.layer.".count).prefix { $0 != "." }
            if let layer = Int(number), layer >= layerCount {
                throw TrainingError("\(path): holds \(name), where config.json says num_hidden_layers \(layerCount)")
            }
        }
    }

    private var architectureHint: String {
        for family in ["roberta", "distilbert", "albert", "electra", "deberta", "xlnet", "mpnet"]
        where tensors.names.contains(where: { $0.hasPrefix("\(family).") }) {
            return "; this is a \(family) model, and only BERT encoders are supported"
        }
        return ""
    }
}
