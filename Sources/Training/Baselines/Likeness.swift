import Data

/// How alike the two texts of a row are, by any measure: a prediction for every kind of task that compares texts.
extension BaselineTask {
    /// One number per text in `second` of each row.
    typealias Likeness = (Example) -> [Double]

    /// The likeness itself as score or ranking; for classes the best cut on training examples.
    func predictions(by likeness: Likeness, for examples: [Example]) -> Predictions {
        switch kind {
        case .classification(let classCount):
            let cut = bestCut(by: likeness, classCount: classCount)
            return .classes(examples.map { cut.classOf(likeness($0)[0]) }, labels: examples.classes)
        case .regression:
            return .numbers(examples.map { likeness($0)[0] }, labels: examples.numbers)
        case .ranking:
            return .candidates(examples.map(likeness), positives: examples.classes)
        }
    }

    /// The cut and the classes on its two sides that score best on training examples.
    ///
    /// Among the cuts is one below all examples, so the best is never worse there than always naming one class.
    private func bestCut(by likeness: Likeness, classCount: Int) -> Cut {
        let examples = examplesForCut
        let values = examples.map { likeness($0)[0] }
        let labels = examples.classes
        var best = (cut: Cut(threshold: -.infinity, below: 0, above: 0), score: -Double.infinity)
        for threshold in thresholds(for: values) {
            for below in 0..<classCount {
                for above in 0..<classCount where above != below {
                    let cut = Cut(threshold: threshold, below: below, above: above)
                    let score = mainScore(.classes(values.map(cut.classOf), labels: labels))
                    if score > best.score { best = (cut, score) }
                }
            }
        }
        return best.cut
    }

    /// Cuts in the middle between neighbouring values, at most 256 of them, spread evenly over the examples.
    private func thresholds(for values: [Double]) -> [Double] {
        let sorted = values.sorted()
        let count = min(256, sorted.count - 1)
        var thresholds = [-Double.infinity]
        for step in 0..<max(0, count) {
            let position = 1 + step * (sorted.count - 1) / count
            let threshold = (sorted[position - 1] + sorted[position]) / 2
            if sorted[position - 1] < sorted[position], threshold != thresholds.last { thresholds.append(threshold) }
        }
        return thresholds
    }
}

/// A class for the examples at most as alike as the threshold, another for those above.
private struct Cut {
    let threshold: Double
    let below: Int
    let above: Int

    func classOf(_ likeness: Double) -> Int { likeness > threshold ? above : below }
}
