import Foundation

/// The rows of a tab-separated file, without any quoting: a quote is a character like others.
///
/// Works on bytes, because CR LF is a single `Character` in Swift and would hide from a search for the line's end.
/// Takes a byte-order mark, CR LF, and a last line without its end.
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

    let path: String
    private let data: Data

    /// Maps the file at `path`; `origin` tells where the path was set, for the message when it does not exist.
    init(path: String, origin: String) throws(ExampleError) {
        self.path = path
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw ExampleError(file: path, line: nil, message: "no such file; the path comes from \(origin)")
        }
        guard !isFolder.boolValue else {
            throw ExampleError(file: path, line: nil, message: "is a folder, not a file; the path comes from \(origin)")
        }
        do {
            data = try Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe)
        } catch {
            throw ExampleError(file: path, line: nil, message: "cannot be read: \(error.localizedDescription)")
        }
    }

    /// Calls `body` with each row until it returns false.
    func forEachRow(_ body: (Row) throws(ExampleError) -> Bool) throws(ExampleError) {
        let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]
        var rest = data.starts(with: byteOrderMark) ? data.dropFirst(byteOrderMark.count) : data
        var line = 0
        while !rest.isEmpty {
            let end = rest.firstIndex(of: UInt8(ascii: "\n")) ?? rest.endIndex
            var bytes = rest[..<end]
            if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
            rest = rest[end...].dropFirst()
            line += 1
            guard try body(row(of: bytes, line: line)) else { return }
        }
    }

    private func row(of bytes: Data, line: Int) throws(ExampleError) -> Row {
        var fields: [String] = []
        for field in bytes.split(separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false) {
            guard let text = String(bytes: field, encoding: .utf8) else {
                let message = "not UTF-8 in column \(fields.count + 1)"
                throw ExampleError(file: path, line: line, message: message)
            }
            fields.append(text)
        }
        return Row(file: path, line: line, fields: fields)
    }
}
