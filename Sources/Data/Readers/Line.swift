import Foundation

/// One line of a file of examples, without its end.
struct Line {
    let file: String
    /// Counted from 1.
    let number: Int
    let bytes: Data

    func error(_ message: String) -> ExampleError { ExampleError(file: file, line: number, message: message) }

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
