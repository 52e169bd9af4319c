import Foundation

/// One example whose text is token ids already.
public struct TokenizedExample: Sendable {
    /// Names the example.
    public var uid: String
    /// One sequence, or one for each candidate of a ranking query.
    public var sequences: [EncodedText]
    /// The class's index, the score, or the index of the right candidate; nil without a label.
    public var label: Float?

    /// An example of these parts.
    public init(uid: String, sequences: [EncodedText], label: Float?) {
        self.uid = uid
        self.sequences = sequences
        self.label = label
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
        let limit = split == Self.trainingSplit ? maximumExamples ?? .max : .max
        let path = try path(ofSplit: split, dataFolder: dataFolder)
        let file = try LineFile(path: path, origin: origin(ofSplit: split, dataFolder: dataFolder))
        var examples: [TokenizedExample] = []
        try file.forEachLine { bytes, number throws(ExampleError) in
            let line = JSONLine(file: path, number: number, task: self)
            let example = try line.read(bytes, isTest: testSplits.contains(split))
            for sequence in example.sequences {
                try line.check(sequence, vocabularySize: vocabularySize, maximumLength: maximumLength)
            }
            examples.append(example)
            return examples.count < limit
        }
        guard !examples.isEmpty else {
            throw ExampleError(file: path, line: nil, message: "the file holds no examples")
        }
        return examples
    }
}

/// One line of a file of JSON lines.
private struct JSONLine {
    let file: String
    let number: Int
    let task: TaskDefinition

    private func error(_ message: String) -> ExampleError { ExampleError(file: file, line: number, message: message) }

    func read(_ bytes: Data, isTest: Bool) throws(ExampleError) -> TokenizedExample {
        let parsed: Any
        do {
            parsed = try JSONSerialization.jsonObject(with: bytes)
        } catch {
            throw self.error("is not JSON")
        }
        guard let entries = parsed as? [String: Any] else { throw error("is not a JSON object") }
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
        case .ranking:
            guard let labels = value as? [Int], labels.count == candidates, labels.filter({ $0 == 1 }).count == 1,
                labels.allSatisfy({ $0 == 0 || $0 == 1 })
            else { throw error("label must be 0 for each candidate but 1 for exactly one") }
            return labels.firstIndex(of: 1).map { Float($0) }
        }
    }
}
