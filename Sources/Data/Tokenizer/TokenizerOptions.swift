import Foundation
import Storage

/// The settings of `tokenizer_config.json` that change how BERT splits text; what the file leaves out is as for uncased
/// BERT.
package struct TokenizerOptions: Decodable {
    private var doLowerCase: Bool?
    private var stripAccents: Bool?
    private var tokenizeChineseChars: Bool?
    private var addedTokensDecoder: [String: AddedToken]?

    private enum CodingKeys: String, CodingKey {
        case doLowerCase = "do_lower_case", stripAccents = "strip_accents"
        case tokenizeChineseChars = "tokenize_chinese_chars", addedTokensDecoder = "added_tokens_decoder"
    }

    private struct AddedToken: Decodable {
        var content: String
    }

    var lowercases: Bool { doLowerCase ?? true }
    var stripsAccents: Bool? { stripAccents }
    var isolatesIdeographs: Bool { tokenizeChineseChars ?? true }
    /// Texts that are a token wherever they stand, the special ones among them.
    var addedTokens: [String] { (addedTokensDecoder ?? [:]).values.map(\.content).sorted() }

    /// The defaults of uncased BERT.
    init() {}

    /// Reads `tokenizer_config.json`.
    package init(path: String) throws(TokenizerError) { self = try Self.decode(path) }

    /// Reads one of a tokenizer's files of JSON.
    static func decode<Value: Decodable>(_ path: String) throws(TokenizerError) -> Value {
        let data: Data
        do {
            data = try contents(ofFile: path)
        } catch {
            throw .unreadable(path: path, reason: error.reason)
        }
        do {
            return try JSONDecoder().decode(Value.self, from: data)
        } catch DecodingError.typeMismatch(let type, let context) where !context.codingPath.isEmpty {
            let key = context.codingPath.map(\.stringValue).joined(separator: ".")
            throw .badConfiguration(
                path: path,
                reason: "\(key) is not \(type == Bool.self ? "true or false" : "of the kind that it should be")")
        } catch {
            throw .badConfiguration(path: path, reason: "is not a JSON object as Hugging Face writes it")
        }
    }
}
