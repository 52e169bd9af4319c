import Foundation

/// The settings of `tokenizer_config.json` that change how BERT splits text; what the file leaves out is as for uncased
/// BERT.
package struct TokenizerOptions: Decodable {
    private var doLowerCase: Bool?
    private var stripAccents: Bool?
    private var tokenizeChineseChars: Bool?

    var lowercases: Bool { doLowerCase ?? true }
    var stripsAccents: Bool? { stripAccents }
    var isolatesIdeographs: Bool { tokenizeChineseChars ?? true }

    /// The defaults of uncased BERT.
    init() {}

    /// Reads `tokenizer_config.json`.
    package init(path: String) throws(TokenizerError) {
        let data: Data
        do {
            data = try Data(contentsOf: URL(fileURLWithPath: path))
        } catch {
            throw .unreadable(path: path, reason: error.localizedDescription)
        }
        do {
            let decoder = JSONDecoder()
            decoder.keyDecodingStrategy = .convertFromSnakeCase
            self = try decoder.decode(Self.self, from: data)
        } catch {
            throw .badConfiguration(path: path, reason: String(describing: error))
        }
    }
}
