/// Reads mt-dnn's canonical form:
/// `uid label premise [hypothesis]`, `uid ruid1,ruid2 0,1 question candidate1 candidate2`, or `uid ['O', 'B-PER'] ['Hello', 'Ann']`.
struct CanonicalReader: RowReader {
    let task: TaskDefinition
    let split: String

    func isHeader(_ line: Line) -> Bool { false }

    func row(_ line: Line, number: Int) throws(ExampleError) -> Example? {
        let row = try TabSeparatedRow(line)
        if case .ranking = task.kind { return try query(row) }
        if case .labelling = task.kind { return try labelledWords(row) }
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
        var example = Example(
            uid: row.fields[0], first: try row.sentence(3), second: candidates,
            label: try task.label(row.fields[2], of: row.line, split: split))
        example.candidateIDs = ids.map(String.init)
        return example
    }

    /// Lists as Python prints them, which mt-dnn evaluates.
    private func labelledWords(_ row: TabSeparatedRow) throws(ExampleError) -> Example {
        try row.requireColumns(3, "3 are expected (uid, list of labels, list of words)")
        let (labels, words) = (try row.list(1), try row.list(2))
        guard labels.count == words.count else {
            throw row.error("\(labels.count) labels, but \(words.count) words")
        }
        return try task.labelledExample(uid: row.fields[0], words: words, labels: labels, row.line, split: split)
    }
}

extension TabSeparatedRow {
    /// The texts of a column that holds a list of quoted texts: `['a', "b"]`.
    fileprivate func list(_ column: Int) throws(ExampleError) -> [String] {
        var texts: [String] = []
        var rest = fields[column].unicodeScalars[...]
        func skipSpace() { rest = rest.drop { $0 == " " } }
        func take(_ scalar: Unicode.Scalar) -> Bool {
            guard rest.first == scalar else { return false }
            rest.removeFirst()
            return true
        }
        let problem = error("column \(column + 1) is not a list of quoted texts, as in ['O', 'B-PER']")
        skipSpace()
        guard take("[") else { throw problem }
        skipSpace()
        if take("]") { return texts }
        repeat {
            skipSpace()
            guard let quote = rest.popFirst(), quote == "'" || quote == "\"" else { throw problem }
            var text = String.UnicodeScalarView()
            while let scalar = rest.popFirst(), scalar != quote {
                if scalar != "\\" {
                    text.append(scalar)
                } else if let escaped = Self.escaped(&rest) {
                    text.append(escaped)
                } else {
                    throw problem
                }
            }
            texts.append(String(text))
            skipSpace()
        } while take(",")
        guard take("]"), rest.allSatisfy({ $0 == " " }) else { throw problem }
        return texts
    }

    /// What follows a backslash in a text as Python writes it; nil where Python writes no such thing.
    private static func escaped(_ rest: inout String.UnicodeScalarView.SubSequence) -> Unicode.Scalar? {
        func code(_ digits: Int) -> Unicode.Scalar? {
            let text = String(rest.prefix(digits))
            rest = rest.dropFirst(digits)
            guard text.unicodeScalars.count == digits, text.allSatisfy(\.isHexDigit) else { return nil }
            return UInt32(text, radix: 16).flatMap(Unicode.Scalar.init)
        }
        switch rest.popFirst() {
        case "n": return "\n"
        case "r": return "\r"
        case "t": return "\t"
        case "x": return code(2)
        case "u": return code(4)
        case "U": return code(8)
        case let scalar where scalar == "\\" || scalar == "'" || scalar == "\"": return scalar
        default: return nil
        }
    }
}

extension TaskDefinition {
    /// The example of words with their labels' names.
    func labelledExample(
        uid: String, words: [String], labels: [String], _ line: Line, split: String
    ) throws(ExampleError) -> Example {
        guard !words.isEmpty else { throw line.error("a sentence without words") }
        if let place = words.firstIndex(of: "") { throw line.error("word \(place + 1) of \(words.count) is empty") }
        var example = Example(uid: uid, first: words.joined(separator: " "), label: nil)
        example.words = words
        for label in labels {
            example.wordLabels.append(
                try self.label(label, of: line, split: split).map { Int32($0) } ?? TokenLabel.unknown)
        }
        if !example.wordLabels.contains(TokenLabel.unknown) { example.label = Float(words.count) }
        return example
    }
}
