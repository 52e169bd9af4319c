import Data
import Kernels

extension BaselineTask {
    /// How many words the two texts share; nil for single sentences.
    ///
    /// Pairs are as alike as the share of their words that both have (Jaccard's index). A candidate is as good as the
    /// number of the question's words in it, plain or weighted by inverse document frequency, whichever does better on
    /// the training examples; among equals the one with fewer other words.
    public func wordOverlap() -> BaselineResult? {
        guard comparesTexts else { return nil }
        let plain = { (example: Example) in overlaps(example, weight: { _ in 1 }) }
        guard kind == .ranking else {
            return BaselineResult(name: "word overlap", scores: predictions(by: plain, for: dev).scores)
        }

        // A search engine knows the texts that it searches, so those of dev are counted too; labels have no part in it.
        let frequencies = DocumentFrequencies((train + dev).flatMap(\.second))
        let weighted = { (example: Example) in overlaps(example, weight: frequencies.inverse) }
        let prefersWeights =
            mainScore(predictions(by: weighted, for: train)) > mainScore(predictions(by: plain, for: train))
        return BaselineResult(
            name: prefersWeights ? "word overlap (idf)" : "word overlap",
            scores: predictions(by: prefersWeights ? weighted : plain, for: dev).scores)
    }

    private func overlaps(_ example: Example, weight: (String) -> Double) -> [Double] {
        let first = Set(words(of: example.first))
        return example.second.map { text in
            let second = Set(words(of: text))
            let common = first.intersection(second)
            let union = first.count + second.count - common.count
            // Two texts without words are equal.
            let jaccard = union == 0 ? 1 : Double(common.count) / Double(union)
            guard kind == .ranking else { return jaccard }
            // Sorted, because sums in the order of a set would differ from run to run.
            return common.sorted().reduce(0) { $0 + weight($1) } + 1e-6 * jaccard
        }
    }
}

/// In how many texts each word occurs.
private struct DocumentFrequencies {
    private let textCount: Int
    private var counts: [String: Int] = [:]

    init(_ texts: [String]) {
        textCount = texts.count
        for text in texts {
            for word in Set(words(of: text)) { counts[word, default: 0] += 1 }
        }
    }

    /// log((1 + texts) / (1 + texts with the word)): rare words say most about which text is meant.
    func inverse(_ word: String) -> Double {
        logarithm(Double(1 + textCount) / Double(1 + counts[word, default: 0]))
    }
}
