import Foundation

/// One line of a file of examples, without its end.
struct Line {
    let file: String
    /// Counted from 1.
    let number: Int
    let bytes: Data

    func error(_ message: String) -> ExampleError { ExampleError(file: file, line: number, message: message) }

    /// The whole line.
    func text() throws(ExampleError) -> String {
        guard let text = String(bytes: bytes, encoding: .utf8) else { throw error("is not UTF-8") }
        return text
    }

    /// The text of a corpus's line `{"text": ...}`.
    func jsonText() throws(ExampleError) -> String {
        guard let text = try jsonObject()["text"] as? String else { throw error("has no text under \"text\"") }
        return text
    }

    /// The sentence that stands at `place`, which must not be empty.
    func sentence(_ text: String, at place: String) throws(ExampleError) -> String {
        guard !text.allSatisfy(\.isWhitespace) else { throw error("an empty sentence in \(place)") }
        return text
    }

    /// The keys and values of a line that is a JSON object.
    func jsonObject() throws(ExampleError) -> [String: Any] {
        let parsed: Any
        do {
            parsed = try JSONSerialization.jsonObject(with: bytes)
        } catch {
            throw self.error("is not JSON")
        }
        guard let entries = parsed as? [String: Any] else { throw error("is not a JSON object") }
        return entries
    }
}
