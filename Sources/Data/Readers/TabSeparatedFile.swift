import Foundation

/// The rows of a tab-separated file, without any quoting: a quote is a character like others.
struct TabSeparatedFile {
    /// One line, split at its tabs.
    struct Row {
        let file: String
        let line: Int
        let fields: [String]

        func error(_ message: String) -> ExampleError { ExampleError(file: file, line: line, message: message) }

        /// Refuses the row unless it has `count` columns.
        func requireColumns(_ count: Int, _ meaning: String) throws(ExampleError) {
            guard fields.count != count else { return }
            guard fields != [""] else { throw error("an empty line") }
            let found = fields.count == 1 ? "1 column" : "\(fields.count) columns"
            throw error("\(found), but \(meaning)")
        }

        /// The text of a sentence's column.
        func sentence(_ column: Int) throws(ExampleError) -> String {
            guard !fields[column].allSatisfy(\.isWhitespace) else {
                throw error("an empty sentence in column \(column + 1)")
            }
            return fields[column]
        }
    }

    private let lines: LineFile

    /// Maps the file at `path`; `origin` tells where the path was set, for the message when it does not exist.
    init(path: String, origin: String) throws(ExampleError) {
        lines = try LineFile(path: path, origin: origin)
    }

    /// Calls `body` with each row until it returns false.
    func forEachRow(_ body: (Row) throws(ExampleError) -> Bool) throws(ExampleError) {
        try lines.forEachLine { bytes, line throws(ExampleError) in
            try body(Row(bytes, line: line, of: lines.path))
        }
    }
}

extension TabSeparatedFile.Row {
    /// Splits the bytes of a line; throws where a column is not UTF-8.
    init(_ bytes: Data, line: Int, of file: String) throws(ExampleError) {
        var fields: [String] = []
        for field in bytes.split(separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false) {
            guard let text = String(bytes: field, encoding: .utf8) else {
                throw ExampleError(file: file, line: line, message: "not UTF-8 in column \(fields.count + 1)")
            }
            fields.append(text)
        }
        self.init(file: file, line: line, fields: fields)
    }
}
