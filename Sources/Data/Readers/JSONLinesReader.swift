import Foundation

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
    /// A teacher's scores: as many as the task has outputs for each sequence; empty where there are none.
    public var softLabels: [Float] = []
    /// The candidates' own ids, where the file has them.
    public var candidateIDs: [String] = []

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
    /// The training split's `softlabel` is read besides: in all rows or in none.
    ///
    /// - Parameters:
    ///   - vocabularySize: token ids must be below it.
    ///   - maximumLength: longer sequences are refused: cutting ids would cut a sentence's end mark.
    public func tokenizedContents(
        ofSplit split: String, dataFolder: String, vocabularySize: Int, maximumLength: Int
    ) throws(ExampleError) -> FileContents<TokenizedExample> {
        let reader = JSONLinesReader(
            task: self, isTest: testSplits.contains(split),
            readsSoftLabels: readsSoftLabels && split == Self.trainingSplit, vocabularySize: vocabularySize,
            maximumLength: maximumLength)
        let contents = try contents(ofSplit: split, dataFolder: dataFolder, by: reader)
        // Not for `on_bad_row` to pass over: without some of its rows a file would teach something else.
        let taught = contents.rows.count { !$0.softLabels.isEmpty }
        if taught > 0, let other = contents.rows.first(where: \.softLabels.isEmpty) {
            throw ExampleError(
                file: try path(ofSplit: split, dataFolder: dataFolder), line: nil,
                message: "example \"\(other.uid)\" has no softlabel, but \(taught) of \(contents.rows.count) have one; "
                    + "give all rows one, or set `kd_weight: 0` for task \(name) to train without them")
        }
        return contents
    }
}

/// Reads mt-dnn's preprocessed JSON lines.
private struct JSONLinesReader: RowReader {
    let task: TaskDefinition
    let isTest: Bool
    let readsSoftLabels: Bool
    let vocabularySize: Int
    let maximumLength: Int

    func isHeader(_ line: Line) -> Bool { false }

    func row(_ line: Line, number: Int) throws(ExampleError) -> TokenizedExample? {
        let line = JSONLine(line: line, entries: try line.jsonObject(), task: task)
        var example = try line.read(isTest: isTest)
        if readsSoftLabels { example.softLabels = try line.softLabels(sequenceCount: example.sequences.count) }
        for sequence in example.sequences {
            try line.check(sequence, vocabularySize: vocabularySize, maximumLength: maximumLength)
        }
        return example
    }
}

/// One line of a file of JSON lines.
private struct JSONLine {
    let line: Line
    let entries: [String: Any]
    let task: TaskDefinition

    private func error(_ message: String) -> ExampleError { line.error(message) }

    func read(isTest: Bool) throws(ExampleError) -> TokenizedExample {
        guard let uid = entries["uid"], !(uid is NSNull) else { throw error("has no uid") }
        let isRanking = if case .ranking = task.kind { true } else { false }
        let tokens = try lists("token_id", nested: isRanking)
        let segments = try lists("type_id", nested: isRanking)
        guard tokens.count == segments.count else { throw error("type_id has not as many candidates as token_id") }
        guard !tokens.isEmpty else { throw error("a query without candidates") }
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
        var example = TokenizedExample(uid: "\(uid)", sequences: sequences, label: label)
        if isRanking, let ids = entries["ruid"] as? [Any], ids.count == sequences.count {
            example.candidateIDs = ids.map { "\($0)" }
        }
        return example
    }

    /// A teacher's scores of the classes, its similarity, or its relevance of each candidate; empty where the row has none.
    func softLabels(sequenceCount: Int) throws(ExampleError) -> [Float] {
        guard let value = entries["softlabel"], !(value is NSNull) else { return [] }
        let count = sequenceCount * task.outputCount
        let single = (value as? Double).map { [$0] }
        guard let numbers = single ?? (value as? [Double]), numbers.count == count,
            single == nil || task.kind.isRegression, numbers.allSatisfy({ Float($0).isFinite })
        else {
            let meaning =
                switch task.kind {
                case .regression: "the teacher's score, one number"
                case .ranking: "a list of the teacher's scores, one for each candidate (\(count))"
                default: "a list of the teacher's scores, one for each class (\(count))"
                }
            throw error("softlabel must be \(meaning)")
        }
        return numbers.map { Float($0) }
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

    private func lists(_ key: String, nested: Bool) throws(ExampleError) -> [[Int]] {
        if nested, let lists = entries[key] as? [[Int]] { return lists }
        if !nested, let list = entries[key] as? [Int] { return [list] }
        throw error(
            "\(key) must be a list of \(nested ? "lists of whole numbers, one for each candidate" : "whole numbers")")
    }

    private func label(_ value: Any?, candidates: Int, isTest: Bool) throws(ExampleError) -> Float? {
        guard let value, !(value is NSNull) else {
            guard isTest else { throw error("has no label") }
            return nil
        }
        guard !isTruthValue(value) else { throw error("the label is true or false, not a number") }
        switch task.kind {
        case .classification(let classes, _):
            guard let label = value as? Int, (0..<classes).contains(label) else {
                throw error("the label \(value) is no class number from 0 to \(classes - 1)")
            }
            return Float(label)
        case .regression(let range):
            guard let label = value as? Double, Float(label).isFinite else {
                throw error("the label \(value) is not a number that a Float holds")
            }
            if let range, !range.contains(Float(label)) {
                throw error("the score \(label) is not between \(range.lowerBound) and \(range.upperBound)")
            }
            return Float(label)
        case .labelling: throw line.error("json_lines has no labels of words")
        case .span: throw line.error("json_lines has no answers")
        case .maskedWords: throw line.error("json_lines has no documents")
        case .ranking:
            // mt-dnn's own files name the right candidate's place and keep the list as `olabel`.
            if let place = value as? Int, (0..<candidates).contains(place) { return Float(place) }
            guard let labels = value as? [Int], labels.count == candidates, labels.filter({ $0 == 1 }).count == 1,
                labels.allSatisfy({ $0 == 0 || $0 == 1 })
            else { throw error("label must be 0 for each candidate but 1 for exactly one") }
            return labels.firstIndex(of: 1).map { Float($0) }
        }
    }
}
