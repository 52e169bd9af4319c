/// One row of a task: a sentence, a pair, a query with its candidates, words, or a question with its context; with or without a label.
public struct Example: Equatable, Sendable {
    /// The row's own id, as the file gives it, or its row number from 0.
    public var uid: String
    /// The sentence, the premise, the query, or the question.
    public var first: String
    /// Nothing, the hypothesis, all candidates, or the context that a question is about.
    public var second: [String]
    /// The words of a sentence whose words are labelled; empty for other tasks.
    public var words: [String] = []
    /// A class for each word, or `TokenLabel.unknown`.
    public var wordLabels: [Int32] = []
    /// The candidates' own ids, where the file has them.
    public var candidateIDs: [String] = []
    /// The right answers to a question about a context, the first of which is trained; nil for other tasks.
    public var answers: [AnswerSpan]?
    /// The class, the score, the number of the right candidate, or 1 for a question that has an answer and 0 for one that has none; nil where a test
    /// file keeps it secret.
    public var label: Float?

    /// A row of these parts.
    public init(uid: String, first: String, second: [String] = [], label: Float?) {
        self.uid = uid
        self.first = first
        self.second = second
        self.label = label
    }
}

/// What stands in place of a class where a token has none.
public enum TokenLabel {
    /// No word begins here: a special token, or a later piece of a word.
    public static let none: Int32 = -1
    /// A word begins here, whose class is not known.
    public static let unknown: Int32 = -2
}

/// A mistake in a file of examples, reading `FILE:LINE: MESSAGE`.
public struct ExampleError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The path of the file.
    public let file: String
    /// The line, counted from 1, where one is to blame.
    public let line: Int?
    /// What is wrong.
    public let message: String

    /// The error as users see it.
    public var description: String {
        line.map { "\(file):\($0): \(message)" } ?? "\(file): \(message)"
    }
}
