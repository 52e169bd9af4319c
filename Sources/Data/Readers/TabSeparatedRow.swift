import Foundation

/// One line split at its tabs, without any quoting: a quote is a character like others.
struct TabSeparatedRow {
    let line: Line
    let fields: [String]

    init(_ line: Line) throws(ExampleError) {
        self.line = line
        var fields: [String] = []
        var rest: Data? = line.bytes
        while let bytes = rest {
            let tab = bytes.position(of: UInt8(ascii: "\t"))
            guard let text = String(bytes: bytes[..<(tab ?? bytes.endIndex)], encoding: .utf8) else {
                throw line.error("not UTF-8 in column \(fields.count + 1)")
            }
            fields.append(text)
            rest = tab.map { bytes[($0 + 1)...] }
        }
        self.fields = fields
    }

    func error(_ message: String) -> ExampleError { line.error(message) }

    /// Refuses the row unless it has `count` columns.
    func requireColumns(_ count: Int, _ meaning: String) throws(ExampleError) {
        guard fields.count != count else { return }
        guard fields != [""] else { throw error("an empty line") }
        let found = fields.count == 1 ? "1 column" : "\(fields.count) columns"
        throw error("\(found), but \(meaning)")
    }

    /// The text of a sentence's column.
    func sentence(_ column: Int) throws(ExampleError) -> String {
        try line.sentence(fields[column], at: "column \(column + 1)")
    }
}
