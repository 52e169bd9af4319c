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
    func contains(_ parameter: Parameter) -> Bool { storedName(of: parameter) != nil }

    /// The same for the part of a head that a parameter belongs to, which is taken whole or not at all.
    func containsPart(of group: ParameterGroup, with parameter: Parameter) -> Bool {
        guard group.task != nil else { return contains(parameter) }
        func part(_ parameter: Parameter) -> ArraySlice<Substring> {
            parameter.name.split(separator: ".", maxSplits: 3).prefix(3)
        }
        return group.parameters.filter { part($0) == part(parameter) }.allSatisfy(contains)
    }

    /// The parameter's name in the file. Of heads it can hold one for pre-training, whose names begin with `cls.` instead of `heads.TASK.`.
    private func storedName(of parameter: Parameter) -> String? {
        if let name = storedNames[parameter.name] { return name }
        let parts = parameter.name.split(separator: ".", maxSplits: 2)
        guard parts.count == 3, parts[0] == "heads",
            ["predictions", "seq_relationship"].contains(parts[2].prefix { $0 != "." })
        else { return nil }
        return storedNames["cls.\(parts[2])"]
            // The one bias has two names there.
            ?? (parts[2] == "predictions.bias" ? storedNames["cls.predictions.decoder.bias"] : nil)
    }

    /// Reads a parameter's value; throws where the file lacks it, or has it in another shape or with values that are no numbers.
    func load(_ parameter: Parameter) throws {
        guard let stored = storedName(of: parameter) else {
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
