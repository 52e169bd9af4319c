/// Reads files of the CoNLL shared tasks: a word in each line with its columns, of which the first is the word and the last its label, and an empty line
/// after each sentence. Lines that begin with `-DOCSTART-` belong to no sentence.
struct ColumnReader {
    let task: TaskDefinition
    let split: String

    /// The sentences of a file, at most `limit`.
    func contents(_ file: LineFile, limit: Int) throws(ExampleError) -> FileContents<Example> {
        var contents = FileContents<Example>()
        var words: [String] = [], labels: [String] = []
        var last: Line?
        var number = 0
        /// Ends a sentence; the first mistake in it leaves out the whole.
        var mistake: ExampleError?
        func endSentence(_ line: Line) throws(ExampleError) {
            defer {
                words = []
                labels = []
                mistake = nil
            }
            guard !words.isEmpty || mistake != nil else { return }
            number += 1
            do throws(ExampleError) {
                if let mistake { throw mistake }
                contents.rows.append(
                    try task.labelledExample(uid: "\(number - 1)", words: words, labels: labels, line, split: split))
            } catch {
                guard task.onBadRow == .skip else { throw error }
                contents.leftOut.append(error)
            }
        }
        try file.forEachLine { line throws(ExampleError) in
            last = line
            do throws(ExampleError) {
                guard let columns = try columns(of: line) else {
                    try endSentence(line)
                    return contents.rows.count < limit
                }
                words.append(columns.word)
                labels.append(columns.label)
                // Where it stands is known here only.
                _ = try task.label(columns.label, of: line, split: split)
            } catch {
                guard task.onBadRow == .skip else { throw error }
                mistake = mistake ?? error
            }
            return true
        }
        if let last, contents.rows.count < limit { try endSentence(last) }
        return contents
    }

    /// The first and the last column; nil for a line between sentences.
    private func columns(of line: Line) throws(ExampleError) -> (word: String, label: String)? {
        let columns = try line.text().split { $0 == " " || $0 == "\t" }
        guard let first = columns.first, !first.hasPrefix("-DOCSTART-") else { return nil }
        guard columns.count > 1 || task.testSplits.contains(split) else {
            throw line.error("1 column, but a word and its label are expected")
        }
        return (String(first), columns.count > 1 ? String(columns[columns.count - 1]) : "")
    }
}
