/// One example whose text is token ids already.
public struct TokenizedExample: Sendable {
    /// Names the example.
    public var uid: String
    /// One sequence, one for each candidate of a ranking query, or one for each window of a question's context.
    public var sequences: [EncodedText]
    /// The class's index, the score, the index of the right candidate, the number of labelled words, or whether a question has an answer (1 or 0); nil
    /// without a label.
    public var label: Float?
    /// For each token the class of the word that begins there, or one of `TokenLabel`, or its `SpanMark`; empty for other tasks.
    public var tokenLabels: [Int32]
    /// What a question is about; nil for other tasks.
    public var context: QuestionContext?

    /// An example of these parts.
    public init(
        uid: String, sequences: [EncodedText], label: Float?, tokenLabels: [Int32] = [],
        context: QuestionContext? = nil
    ) {
        self.context = context
        self.uid = uid
        self.sequences = sequences
        self.label = label
        self.tokenLabels = tokenLabels
    }
}

extension TaskDefinition {
    /// Reads mt-dnn's preprocessed JSON lines: `uid`, `label`, `token_id`, `type_id`; the latter two are lists of lists for ranking.
    ///
    /// - Parameters:
    ///   - vocabularySize: token ids must be below it.
    ///   - maximumLength: longer sequences are refused: cutting ids would cut a sentence's end mark.
    public func readTokenizedExamples(
        split: String, dataFolder: String, vocabularySize: Int, maximumLength: Int
    ) throws(ExampleError) -> [TokenizedExample] {
        try tokenizedContents(
            ofSplit: split, dataFolder: dataFolder, vocabularySize: vocabularySize, maximumLength: maximumLength
        ).rows
    }

    /// The same, with what is left out.
    public func tokenizedContents(
        ofSplit split: String, dataFolder: String, vocabularySize: Int, maximumLength: Int
    ) throws(ExampleError) -> FileContents<TokenizedExample> {
        let reader = JSONLinesReader(
            task: self, isTest: testSplits.contains(split), vocabularySize: vocabularySize,
            maximumLength: maximumLength)
        return try contents(ofSplit: split, dataFolder: dataFolder, by: reader)
    }
}

/// Reads mt-dnn's preprocessed JSON lines.
private struct JSONLinesReader: RowReader {
    let task: TaskDefinition
    let isTest: Bool
    let vocabularySize: Int
    let maximumLength: Int

    func isHeader(_ line: Line) -> Bool { false }

    func row(_ line: Line, number: Int) throws(ExampleError) -> TokenizedExample? {
        let line = JSONLine(line: line, task: task)
        let example = try line.read(isTest: isTest)
        for sequence in example.sequences {
            try line.check(sequence, vocabularySize: vocabularySize, maximumLength: maximumLength)
        }
        return example
    }
}

/// One line of a file of JSON lines.
private struct JSONLine {
    let line: Line
    let task: TaskDefinition

    private func error(_ message: String) -> ExampleError { line.error(message) }

    func read(isTest: Bool) throws(ExampleError) -> TokenizedExample {
        let entries = try line.jsonObject()
        guard let uid = entries["uid"] else { throw error("has no uid") }
        let isRanking = if case .ranking = task.kind { true } else { false }
        let tokens = try lists("token_id", entries, nested: isRanking)
        let segments = try lists("type_id", entries, nested: isRanking)
        guard tokens.count == segments.count else { throw error("type_id has not as many candidates as token_id") }
        var sequences: [EncodedText] = []
        for (ids, types) in zip(tokens, segments) {
            guard ids.count == types.count else {
                throw error("type_id has \(types.count) numbers for \(ids.count) in token_id")
            }
            guard types.allSatisfy({ $0 == 0 || $0 == 1 }) else {
                throw error("type_id holds another number than 0 and 1")
            }
            guard let narrow = ids.map({ Int32(exactly: $0) }) as? [Int32] else { throw error("token_id is too large") }
            sequences.append(EncodedText(tokens: narrow, segments: types.map { UInt8($0) }))
        }
        let label = try label(entries["label"], candidates: sequences.count, isTest: isTest)
        return TokenizedExample(uid: "\(uid)", sequences: sequences, label: label)
    }

    func check(_ sequence: EncodedText, vocabularySize: Int, maximumLength: Int) throws(ExampleError) {
        guard !sequence.tokens.isEmpty else { throw error("token_id is empty") }
        guard sequence.tokens.count <= maximumLength else {
            throw error("\(sequence.tokens.count) tokens, more than `max_length` (\(maximumLength))")
        }
        if let stranger = sequence.tokens.first(where: { $0 < 0 || $0 >= vocabularySize }) {
            throw error("token \(stranger) is not in the encoder's vocabulary of \(vocabularySize)")
        }
        // Segments stand one after the other: the heads take the first for what comes before the second.
        guard zip(sequence.segments, sequence.segments.dropFirst()).allSatisfy({ $0 <= $1 }) else {
            throw error("type_id goes back from 1 to 0")
        }
        if task.isPair, let first = sequence.segments.first, first == sequence.segments.last {
            throw error("a pair with one sentence: type_id is \(first) all over")
        }
    }

    private func lists(_ key: String, _ entries: [String: Any], nested: Bool) throws(ExampleError) -> [[Int]] {
        if nested, let lists = entries[key] as? [[Int]] { return lists }
        if !nested, let list = entries[key] as? [Int] { return [list] }
        throw error(
            "\(key) must be a list of \(nested ? "lists of whole numbers, one for each candidate" : "whole numbers")")
    }

    private func label(_ value: Any?, candidates: Int, isTest: Bool) throws(ExampleError) -> Float? {
        guard let value else {
            guard isTest else { throw error("has no label") }
            return nil
        }
        switch task.kind {
        case .classification(let classes, _):
            guard let label = value as? Int, (0..<classes).contains(label) else {
                throw error("the label \(value) is no class number from 0 to \(classes - 1)")
            }
            return Float(label)
        case .regression(let range):
            guard let label = value as? Double, label.isFinite else {
                throw error("the label \(value) is not a number")
            }
            if let range, !range.contains(Float(label)) {
                throw error("the score \(label) is not between \(range.lowerBound) and \(range.upperBound)")
            }
            return Float(label)
        case .labelling: throw line.error("json_lines has no labels of words")
        case .span: throw line.error("json_lines has no answers")
        case .maskedWords: throw line.error("json_lines has no documents")
        case .ranking:
            guard let labels = value as? [Int], labels.count == candidates, labels.filter({ $0 == 1 }).count == 1,
                labels.allSatisfy({ $0 == 0 || $0 == 1 })
            else { throw error("label must be 0 for each candidate but 1 for exactly one") }
            return labels.firstIndex(of: 1).map { Float($0) }
        }
    }
}
