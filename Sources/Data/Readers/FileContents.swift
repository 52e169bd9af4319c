import Storage

/// The rows of a file, and what was left out of it.
public struct FileContents<Row: Sendable>: Sendable {
    /// In the order of the file.
    public internal(set) var rows: [Row] = []
    /// The rows that are not among them.
    public internal(set) var leftOut = LeftOut()

    /// The same with something else for each row.
    public func map<Other>(_ transform: (Row) throws -> Other) rethrows -> FileContents<Other> {
        FileContents<Other>(rows: try rows.map(transform), leftOut: leftOut)
    }

    /// Throws where nothing is left of the file at `path`.
    func requireRows(of path: String, called name: String = "examples") throws(ExampleError) {
        guard rows.isEmpty else { return }
        throw ExampleError(file: path, line: nil, message: "the file holds no \(name)\(leftOut.reason)")
    }
}

/// The rows of a file that are no examples.
public struct LeftOut: Equatable, Sendable {
    /// Rows with the gold label `-`: the people who were asked did not agree.
    public internal(set) var undecidedCount = 0
    /// Rows that cannot be read, which `on_bad_row: skip` passes over.
    public private(set) var badCount = 0
    /// The first of those, with the reasons.
    public private(set) var firstBad: [ExampleError] = []

    /// Rows of both kinds.
    public var count: Int { undecidedCount + badCount }

    /// Bad rows that are listed; a file of another format must not fill the log with its lines.
    static let listedCount = 20

    mutating func append(_ error: ExampleError) {
        badCount += 1
        if firstBad.count < Self.listedCount { firstBad.append(error) }
    }

    /// How many there are of which kind: `; left out: 2 rows labelled "-", 1 bad row`; nothing where none is.
    public var summary: String {
        var parts: [String] = []
        if undecidedCount > 0 { parts.append("\(counted(undecidedCount, "row")) labelled \"-\"") }
        if badCount > 0 { parts.append(counted(badCount, "bad row")) }
        return parts.isEmpty ? "" : "; left out: \(parts.joined(separator: ", "))"
    }

    /// A line for each bad row that is listed, and one for the others.
    public var list: [String] {
        let rest = badCount - firstBad.count
        return firstBad.map { "left out: \($0)" } + (rest > 0 ? ["left out: \(counted(rest, "more bad row"))"] : [])
    }

    /// Why nothing is left.
    var reason: String {
        let first = firstBad.first.map { "; the first\($0.line.map { " in line \($0)" } ?? ""): \($0.message)" }
        return summary + (first ?? "")
    }
}
