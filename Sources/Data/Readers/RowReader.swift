/// Makes examples of the lines of a file: one reader for each format.
protocol RowReader {
    associatedtype Row: Sendable

    /// Looks at the file's first line and tells whether it is a header, which is no row.
    ///
    /// What is wrong with a header is wrong with the file, so `on_bad_row: skip` does not pass over it.
    mutating func isHeader(_ line: Line) throws(ExampleError) -> Bool

    /// What a line says, or nil where people did not agree on its label; `number` counts rows from 0.
    func row(_ line: Line, number: Int) throws(ExampleError) -> Row?
}

extension TaskDefinition {
    /// Reads the rows of one split, with `dataFolder` as the folder that relative paths start from.
    func contents<Reader: RowReader>(
        ofSplit split: String, dataFolder: String, by reader: Reader
    ) throws(ExampleError) -> FileContents<Reader.Row> {
        let limit = mostRows(ofSplit: split)
        let path = try path(ofSplit: split, dataFolder: dataFolder)
        let file = try LineFile(path: path, origin: origin(ofSplit: split, dataFolder: dataFolder))
        var reader = reader
        var contents = FileContents<Reader.Row>()
        var isFirst = true, number = 0
        try file.forEachLine { line throws(ExampleError) in
            if isFirst {
                isFirst = false
                if try reader.isHeader(line) { return true }
            }
            do throws(ExampleError) {
                if let row = try reader.row(line, number: number) {
                    contents.rows.append(row)
                } else {
                    contents.leftOut.undecidedCount += 1
                }
            } catch {
                guard onBadRow == .skip else { throw error }
                contents.leftOut.append(error)
            }
            number += 1
            return contents.rows.count < limit
        }
        try contents.requireRows(of: path)
        return contents
    }
}
