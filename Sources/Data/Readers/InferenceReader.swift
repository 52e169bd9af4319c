/// Reads pairs that are labelled with what the first sentence says of the second, in the files of SNLI, MultiNLI and SciTail.
///
/// They come as JSON lines, as columns under a header with the same names, and, for SciTail, as three plain columns. What a
/// file holds shows in its name or its first line: SciTail's JSON lines are in files that end in `.txt`.
struct InferenceReader: RowReader {
    private enum Form {
        case jsonLines
        case columns(InferenceColumns)
        /// SciTail's premise, hypothesis and label.
        case plain
    }

    /// One row as its file has it.
    private struct Fields {
        let uid: String?
        let first: String
        let second: String
        /// Nil where the file has no gold labels.
        let label: String?
    }

    private let task: TaskDefinition
    private let split: String
    private var form = Form.jsonLines

    init(task: TaskDefinition, split: String) {
        self.task = task
        self.split = split
    }

    private var isTest: Bool { task.testSplits.contains(split) }

    mutating func isHeader(_ line: Line) throws(ExampleError) -> Bool {
        let hasBrace = line.bytes.first == UInt8(ascii: "{")
        if line.file.hasSuffix(".jsonl") || hasBrace && !line.file.hasSuffix(".tsv") { return false }
        if task.format == .scitail, !line.bytes.split(separator: UInt8(ascii: "\t")).contains(where: Self.isGoldLabel) {
            form = .plain
            return false
        }
        form = .columns(try InferenceColumns(TabSeparatedRow(line), split: split, isTest: isTest))
        return true
    }

    private static func isGoldLabel(_ field: some Sequence<UInt8>) -> Bool { field.elementsEqual("gold_label".utf8) }

    func row(_ line: Line, number: Int) throws(ExampleError) -> Example? {
        let fields = try fields(of: line)
        if fields.label == "-" { return nil }
        return Example(
            uid: fields.uid ?? String(number), first: fields.first, second: [fields.second],
            label: try label(fields.label, of: line))
    }

    private func fields(of line: Line) throws(ExampleError) -> Fields {
        switch form {
        case .jsonLines:
            let entries = try line.jsonObject()
            func text(_ key: String) throws(ExampleError) -> String {
                guard let value = entries[key] else { throw line.error("has no \(key)") }
                guard let text = value as? String else { throw line.error("\(key) is not text") }
                return text
            }
            let label = isTest && entries["gold_label"] == nil ? nil : try text("gold_label")
            return Fields(
                uid: entries["pairID"] as? String, first: try sentence(text("sentence1"), "sentence1", label, line),
                second: try sentence(text("sentence2"), "sentence2", label, line), label: label)
        case .columns(let columns):
            let row = try TabSeparatedRow(line)
            try columns.check(row)
            let label = columns.label.map { row.fields[$0] }
            return Fields(
                uid: columns.uid.map { row.fields[$0] },
                first: try sentence(row.fields[columns.first], "column \(columns.first + 1)", label, line),
                second: try sentence(row.fields[columns.second], "column \(columns.second + 1)", label, line),
                label: label)
        case .plain:
            let row = try TabSeparatedRow(line)
            try row.requireColumns(3, "3 are expected (premise, hypothesis, label)")
            return Fields(uid: nil, first: try row.sentence(0), second: try row.sentence(1), label: row.fields[2])
        }
    }

    /// Rows that are left out for their label may have sentences as they like.
    private func sentence(
        _ text: String, _ place: String, _ label: String?, _ line: Line
    ) throws(ExampleError) -> String {
        label == "-" ? text : try line.sentence(text, at: place)
    }

    private func label(_ text: String?, of line: Line) throws(ExampleError) -> Float? {
        // MultiNLI says `hidden` where a test label is a secret.
        guard let text, !(isTest && text == "hidden") else { return nil }
        return try task.label(known(text), of: line, split: split)
    }

    /// SciTail says `entails` in one form and `entailment` in the others; a task may name its class either way.
    private func known(_ text: String) -> String {
        guard task.format == .scitail, case .classification(_, let labels) = task.kind, !labels.contains(text) else {
            return text
        }
        let names = ["entails", "entailment"]
        return names.contains(text) ? names.first(where: labels.contains) ?? text : text
    }
}

/// Which columns of a file in SNLI's form hold what.
private struct InferenceColumns {
    let uid: Int?
    let first: Int
    let second: Int
    let label: Int?
    /// The columns of the header.
    private let count: Int
    /// The columns that every row has: training rows end after the first annotator's label.
    private let least: Int

    init(_ row: TabSeparatedRow, split: String, isTest: Bool) throws(ExampleError) {
        func column(_ name: String) throws(ExampleError) -> Int {
            guard let index = row.fields.firstIndex(of: name) else {
                throw row.error("the header has no column \(name)")
            }
            return index
        }
        first = try column("sentence1")
        second = try column("sentence2")
        uid = row.fields.firstIndex(of: "pairID")
        label = row.fields.firstIndex(of: "gold_label")
        guard label != nil || isTest else {
            throw row.error("the header has no column gold_label, and \(split) is no test split")
        }
        count = row.fields.count
        let annotators = (1...5).map { "label\($0)" }
        least = (row.fields.lastIndex { !annotators.contains($0) } ?? 0) + 1
    }

    func check(_ row: TabSeparatedRow) throws(ExampleError) {
        guard !(least...count).contains(row.fields.count) else { return }
        try row.requireColumns(count, "the header has \(count)")
    }
}
