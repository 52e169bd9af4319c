/// Ends a run whose mean score has not become better for some epochs: a function of the scores alone, so a resumed run ends where a whole one does.
struct EarlyStop {
    private let patience: Int
    private var best: Double?
    private var epochsSinceBest = 0

    /// - Parameters:
    ///   - patience: epochs in a row without a better score; 0 for never.
    ///   - scores: the scores so far.
    init(patience: Int, scores: [Double]) {
        self.patience = patience
        scores.forEach { note($0) }
    }

    /// Whether the run is at its end.
    var isDue: Bool { patience > 0 && epochsSinceBest >= patience }

    /// Takes the score of an epoch into account; one without a score counts as not better.
    mutating func note(_ score: Double?) {
        if let score, best.map({ score > $0 }) ?? true {
            best = score
            epochsSinceBest = 0
        } else {
            epochsSinceBest += 1
        }
    }
}
