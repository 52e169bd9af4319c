/// A vocabulary or tokenizer setting that cannot be used; the description names the file and, where there is one, the
/// line.
public enum TokenizerError: Error, Equatable, CustomStringConvertible {
    /// The file is missing or cannot be read.
    case unreadable(path: String, reason: String)
    /// A line holds bytes that are not UTF-8.
    case notUTF8(path: String, line: Int)
    /// A line holds no token.
    case emptyLine(path: String, line: Int)
    /// A line repeats the token of an earlier line.
    case duplicate(path: String, line: Int, token: String, firstLine: Int)
    /// A line holds a token longer than any word that is looked up.
    case overlong(path: String, line: Int, byteCount: Int, limit: Int)
    /// The vocabulary lacks a token that BERT cannot do without.
    case missing(path: String, token: String)
    /// `tokenizer_config.json` is not JSON or holds a value of the wrong type.
    case badConfiguration(path: String, reason: String)

    /// What is wrong, where, as one sentence.
    public var description: String {
        switch self {
        case .unreadable(let path, let reason):
            "\(path): \(reason)"
        case .notUTF8(let path, let line):
            "\(path):\(line): not UTF-8"
        case .emptyLine(let path, let line):
            "\(path):\(line): empty line; expected one token per line"
        case .duplicate(let path, let line, let token, let firstLine):
            "\(path):\(line): token \"\(token)\" stands in line \(firstLine) already"
        case .overlong(let path, let line, let byteCount, let limit):
            "\(path):\(line): a token of \(byteCount) bytes; the longest that can be used has \(limit)"
        case .missing(let path, let token):
            "\(path): lacks the token \(token)"
        case .badConfiguration(let path, let reason):
            "\(path): \(reason)"
        }
    }
}
