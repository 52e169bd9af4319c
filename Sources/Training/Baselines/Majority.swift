extension BaselineTask {
    /// The most frequent class of the training examples (the lowest of equals), their mean score, or a guess among the
    /// candidates.
    ///
    /// A guess is not drawn: its scores are the expected ones.
    public func majority() -> BaselineResult {
        switch kind {
        case .classification(let classCount):
            var counts = [Int](repeating: 0, count: classCount)
            for label in train.classes { counts[label] += 1 }
            let most = counts.firstIndex(of: counts.max()!)!
            let predictions = Predictions.classes(dev.map { _ in most }, labels: dev.classes)
            return BaselineResult(name: "majority", scores: predictions.scores)
        case .regression:
            let mean = Metrics.mean(train.numbers)
            let predictions = Predictions.numbers(dev.map { _ in mean }, labels: dev.numbers)
            return BaselineResult(name: "mean", scores: predictions.scores)
        case .ranking:
            let counts = dev.map(\.second.count)
            let hits = Metrics.mean(counts.map { 1 / Double($0) })
            // The right candidate is at each rank with equal chance.
            let reciprocals = counts.map { count in (1...count).reduce(0) { $0 + 1 / Double($1) } / Double(count) }
            return BaselineResult(
                name: "chance", scores: ["ACC": hits, "AccuracyAt1": hits, "MRR": Metrics.mean(reciprocals)])
        }
    }
}
