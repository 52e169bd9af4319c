/// A right answer to a question about a context.
public struct AnswerSpan: Equatable, Sendable {
    /// Its text, as it stands in the context.
    public var text: String
    /// Where in the context's UTF-8 it starts.
    public var start: Int

    /// An answer of this text, which starts at byte `start` of its context.
    public init(text: String, start: Int) {
        self.text = text
        self.start = start
    }

    /// The bytes of the context's UTF-8 that it takes.
    var bytes: Range<Int> { start..<(start + text.utf8.count) }
}

/// What a token of a question's window is: the meaning that token labels have where spans are looked for.
public struct SpanMark: OptionSet, Sendable {
    /// The marks as bits.
    public let rawValue: Int32

    /// The marks whose bits are given.
    public init(rawValue: Int32) { self.rawValue = rawValue }

    /// The answer starts here; at [CLS] where the window does not hold it, or there is none.
    public static let start = SpanMark(rawValue: 1)
    /// The answer ends here.
    public static let end = SpanMark(rawValue: 2)
    /// A token of the context, of whose surroundings no other window shows more: where a predicted answer may start.
    public static let widest = SpanMark(rawValue: 4)

    /// Whether the labels of a window's tokens are marks of one span.
    public static func areWhole(_ labels: some Collection<Int32>) -> Bool {
        let all = start.union(end).union(widest).rawValue
        guard labels.allSatisfy({ $0 >= 0 && $0 <= all }) else { return false }
        let starts = labels.indices.filter { labels[$0] & start.rawValue != 0 }
        let ends = labels.indices.filter { labels[$0] & end.rawValue != 0 }
        return starts.count == 1 && ends.count == 1 && starts[0] <= ends[0]
    }
}

/// What the windows of a question show, and what it wants found.
public struct QuestionContext: Sendable, Equatable {
    /// The text that holds the answer, as its file has it.
    public var text: String
    /// The right answers; empty where there is none, or none is known.
    public var answers: [String]
    /// For each token of each window the bytes of the text's UTF-8 that it stands for; empty ranges for those of the question and special ones.
    public var ranges: [[Range<Int>]]

    /// A context of these parts.
    public init(text: String, answers: [String], ranges: [[Range<Int>]]) {
        self.text = text
        self.answers = answers
        self.ranges = ranges
    }
}
