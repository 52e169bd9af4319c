import Data
import Foundation
import Model
import Storage

/// `config.json` of a Hugging Face BERT folder.
struct BERTConfiguration {
    /// The encoder's sizes.
    let sizes: EncoderSizes

    /// Reads the file; throws where it is not one of a BERT that this program computes exactly.
    init(path: String) throws {
        let data: Foundation.Data
        do {
            data = try contents(ofFile: path)
        } catch {
            throw TrainingError(
                "\(path): \(error.reason); an encoder folder holds config.json, model.safetensors and vocab.txt")
        }
        let parsed: Any
        do {
            parsed = try JSONSerialization.jsonObject(with: data)
        } catch {
            throw TrainingError("\(path): is not JSON")
        }
        guard let entries = parsed as? [String: Any] else { throw TrainingError("\(path): is not a JSON object") }
        func refuse(_ key: String, unless expected: String) throws {
            guard let value = entries[key], "\(value)" != expected else { return }
            throw TrainingError("\(path): \(key) is \(value); only \(expected) is supported")
        }
        try refuse("model_type", unless: "bert")
        try refuse("hidden_act", unless: "gelu")
        try refuse("position_embedding_type", unless: "absolute")
        func count(_ key: String, upTo limit: Int, default standard: Int? = nil) throws -> Int {
            guard let value = entries[key] else {
                guard let standard else { throw TrainingError("\(path): has no \(key)") }
                return standard
            }
            guard let number = BERTConfiguration.number(value), let count = Int(exactly: number),
                (1...limit).contains(count)
            else { throw TrainingError("\(path): \(key) is \(value), not a whole number from 1 to \(limit)") }
            return count
        }
        var epsilon: Float = 1e-12
        if let value = entries["layer_norm_eps"] {
            guard let number = BERTConfiguration.number(value), number > 0, number < 1 else {
                throw TrainingError("\(path): layer_norm_eps is \(value), not a number between 0 and 1")
            }
            epsilon = Float(number)
        }
        // As in run files; products of these are far from overflowing.
        sizes = EncoderSizes(
            vocabularySize: try count("vocab_size", upTo: 1 << 27), hiddenSize: try count("hidden_size", upTo: 65_536),
            layerCount: try count("num_hidden_layers", upTo: 250),
            headCount: try count("num_attention_heads", upTo: 250),
            intermediateSize: try count("intermediate_size", upTo: 1 << 20),
            maximumPositions: try count("max_position_embeddings", upTo: 65_536, default: 512),
            segmentCount: try count("type_vocab_size", upTo: 65_536, default: 2), epsilon: epsilon)
        guard sizes.hiddenSize.isMultiple(of: sizes.headCount) else {
            throw TrainingError(
                "\(path): hidden_size \(sizes.hiddenSize) does not divide into \(sizes.headCount) attention heads")
        }
    }

    /// A JSON number.
    private static func number(_ value: Any) -> Double? {
        isTruthValue(value) ? nil : (value as? NSNumber)?.doubleValue
    }
}
