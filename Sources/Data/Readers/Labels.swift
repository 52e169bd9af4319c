extension TaskDefinition {
    /// The label that a row's text stands for; nil for an empty one, which only test splits may have.
    func label(_ text: String, of line: Line, split: String) throws(ExampleError) -> Float? {
        if text.isEmpty, testSplits.contains(split) { return nil }
        switch kind {
        case .classification(let classCount, let labels):
            return Float(try classNumber(text, classCount, labels, of: line))
        case .regression(let range):
            return try score(text, range, of: line)
        case .ranking(let labels):
            return Float(try rightCandidate(text, labels, of: line))
        case .labelling(let labels):
            return Float(try classNumber(text, labels.count, labels, of: line))
        case .span: preconditionFailure("questions have answers, not labels")
        case .maskedWords: throw line.error("a label, but texts for pre-training have none")
        }
    }

    /// Words come before numbers: with labels `["1", "0"]` the text `1` is class 0.
    private func classNumber(
        _ text: String, _ classCount: Int, _ labels: [String], of line: Line
    ) throws(ExampleError) -> Int {
        if let index = labels.firstIndex(of: text) { return index }
        if let number = Int(text), (0..<classCount).contains(number) { return number }
        let known = labels.isEmpty ? (0..<classCount).map(String.init) : labels
        // The names of thousands of classes help nobody.
        let list = known.prefix(20).joined(separator: ", ") + (known.count > 20 ? ", ..." : "")
        throw line.error("unknown label \"\(text)\"; known: \(list)")
    }

    private func score(
        _ text: String, _ range: ClosedRange<Float>?, of line: Line
    ) throws(ExampleError) -> Float {
        guard text.isDecimalNumber, let score = Float(text), score.isFinite else {
            throw line.error("the score \"\(text)\" is not a number")
        }
        if let range, !range.contains(score) {
            throw line.error("the score \(text) is not between \(range.lowerBound) and \(range.upperBound)")
        }
        return score
    }

    private func rightCandidate(
        _ text: String, _ labels: [String], of line: Line
    ) throws(ExampleError) -> Int {
        var right: [Int] = []
        for (index, label) in text.split(separator: ",", omittingEmptySubsequences: false).enumerated()
        where try classNumber(String(label), 2, labels, of: line) == 1 {
            right.append(index)
        }
        guard right.count == 1 else {
            throw line.error("\(right.count) candidates are labelled right, but it must be exactly 1")
        }
        return right[0]
    }
}
