/// Reads mt-dnn's canonical form:
/// `uid label premise [hypothesis]`, or `uid ruid1,ruid2 0,1 question candidate1 candidate2`.
struct CanonicalReader: RowReader {
    let task: TaskDefinition
    let split: String

    func isHeader(_ line: Line) -> Bool { false }

    func row(_ line: Line, number: Int) throws(ExampleError) -> Example? {
        let row = try TabSeparatedRow(line)
        if case .ranking = task.kind { return try query(row) }
        let columns = task.isPair ? ["uid", "label", "premise", "hypothesis"] : ["uid", "label", "premise"]
        try row.requireColumns(columns.count, "\(columns.count) are expected (\(columns.joined(separator: ", ")))")
        return Example(
            uid: row.fields[0], first: try row.sentence(2), second: task.isPair ? [try row.sentence(3)] : [],
            label: try task.label(row.fields[1], of: line, split: split))
    }

    private func query(_ row: TabSeparatedRow) throws(ExampleError) -> Example {
        let meaning = "uid, candidate ids, labels, question and at least 1 candidate are expected"
        if row.fields.count < 5 { try row.requireColumns(5, meaning) }
        let candidateCount = row.fields.count - 4
        let ids = row.fields[1].split(separator: ",", omittingEmptySubsequences: false)
        guard ids.count == candidateCount else {
            throw row.error("\(ids.count) candidate ids, but \(candidateCount) candidates")
        }
        let labels = row.fields[2].split(separator: ",", omittingEmptySubsequences: false)
        let areSecret = row.fields[2].isEmpty && task.testSplits.contains(split)
        guard areSecret || labels.count == candidateCount else {
            throw row.error("\(labels.count) labels, but \(candidateCount) candidates")
        }
        var candidates: [String] = []
        for column in 4..<row.fields.count { candidates.append(try row.sentence(column)) }
        return Example(
            uid: row.fields[0], first: try row.sentence(3), second: candidates,
            label: try task.label(row.fields[2], of: row.line, split: split))
    }
}
