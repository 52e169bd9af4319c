/// Reads the official files of a GLUE data set.
struct GlueReader: RowReader {
    let task: TaskDefinition
    let split: String
    private var columns: GlueColumns?

    init(task: TaskDefinition, split: String) {
        self.task = task
        self.split = split
    }

    mutating func isHeader(_ line: Line) throws(ExampleError) -> Bool {
        let columns = try GlueColumns(TabSeparatedRow(line), task: task, split: split)
        self.columns = columns
        return columns.isHeader
    }

    func row(_ line: Line, number: Int) throws(ExampleError) -> Example? {
        try columns?.example(TabSeparatedRow(line), number: number, task: task, split: split)
    }
}

/// Which columns of an official GLUE file hold what.
///
/// The names in the header tell: `sentence1`, `question` or `#1 String` for the first sentence, and so on. Only CoLA's
/// train and dev files have no header: source, label, the linguist's mark, sentence.
private struct GlueColumns {
    let count: Int
    let uid: Int?
    let first: Int
    let second: Int?
    let label: Int?
    /// Whether the row that the columns were found in is a header, or the first example.
    let isHeader: Bool

    /// Finds the columns for `task` in a file's first row.
    init(_ row: TabSeparatedRow, task: TaskDefinition, split: String) throws(ExampleError) {
        let header = row.fields
        count = header.count
        func column(_ names: String...) -> Int? { names.lazy.compactMap(header.firstIndex(of:)).first }

        if !task.isPair, header.count == 4, column("sentence") == nil {
            (uid, label, first, second, isHeader) = (nil, 1, 3, nil, false)
            return
        }
        isHeader = true
        uid = column("index", "id")
        label = column("gold_label", "label", "score", "Quality", "is_duplicate")
        let firstNames = task.isPair ? ["sentence1", "question1", "#1 String", "question"] : ["sentence"]
        guard let first = firstNames.lazy.compactMap(header.firstIndex(of:)).first else {
            throw row.error("the header has none of the columns \(firstNames.joined(separator: ", "))")
        }
        self.first = first
        let secondNames = ["sentence2", "question2", "#2 String", "sentence"]
        second = task.isPair ? secondNames.lazy.compactMap(header.firstIndex(of:)).first : nil
        guard !task.isPair || second != nil else {
            throw row.error("the header has none of the columns \(secondNames.joined(separator: ", "))")
        }
        guard label != nil || task.testSplits.contains(split) else {
            throw row.error("the header has no column of labels, and \(split) is no test split")
        }
    }

    /// The example of one row below the header; rows without an id of their own are called by `number`.
    func example(
        _ row: TabSeparatedRow, number: Int, task: TaskDefinition, split: String
    ) throws(ExampleError) -> Example {
        try row.requireColumns(count, isHeader ? "the header has \(count)" : "the first line has \(count)")
        var second: [String] = []
        if let column = self.second { second.append(try row.sentence(column)) }
        return Example(
            uid: uid.map { row.fields[$0] } ?? String(number), first: try row.sentence(first), second: second,
            label: try label.flatMap { column throws(ExampleError) in
                try task.label(row.fields[column], of: row.line, split: split)
            })
    }
}
