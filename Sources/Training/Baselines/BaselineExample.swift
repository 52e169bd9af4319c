/// One labelled row of a task: a sentence, a pair, or a query with its candidates.
public struct BaselineExample: Equatable, Sendable {
    /// The row's own id.
    public var uid: String
    /// The sentence, the premise, or the query.
    public var first: String
    /// Nothing, the hypothesis, or all candidates.
    public var second: [String]
    /// The class, the score, or the number of the right candidate.
    public var label: Float?

    /// A row of these parts.
    public init(uid: String, first: String, second: [String] = [], label: Float?) {
        self.uid = uid
        self.first = first
        self.second = second
        self.label = label
    }
}
