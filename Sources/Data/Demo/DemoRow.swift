/// One example of a demo task before it has a number: a label and the texts it belongs to.
struct DemoRow: Hashable {
    let label: String
    let first: String
    /// Nothing for a single sentence, one text for a pair, the candidates for a question.
    let second: [String]

    /// The row as a line of mt-dnn's canonical TSV; candidates, where there are several, have ids of their own.
    func line(number: Int) -> String {
        let candidates = second.count > 1 ? [second.indices.map { "\(number)-\($0)" }.joined(separator: ",")] : []
        return ([String(number)] + candidates + [label, first] + second).joined(separator: "\t")
    }
}

/// One task of the demo: how many rows each split has and the rule that makes a row.
struct DemoTask: Sendable {
    let name: String
    let rowCounts: [DemoSplit: Int]
    /// Makes one row from fillings of the split; nil where the chance words allow none.
    let makeRow: @Sendable (DemoSplit, inout SplitMix64) -> DemoRow?

    /// The task's rows for a split, no text twice; the grammar has several times as many as are asked for.
    func rows(_ split: DemoSplit, _ random: inout SplitMix64) -> [DemoRow] {
        let count = rowCounts[split]!
        var seen: Set<[String]> = []
        var rows: [DemoRow] = []
        while rows.count < count {
            if let row = makeRow(split, &random), seen.insert([row.first] + row.second).inserted { rows.append(row) }
        }
        return rows
    }
}
