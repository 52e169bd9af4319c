import Data
import Kernels

extension BaselineTask {
    /// Logistic regression over word counts, linear regression for scores, a softmax over a query's candidates.
    ///
    /// A true bag of words: a count for each word of each side, no order and no pairs of words. (The words of a query
    /// add the same to all its candidates, so they decide nothing.)
    public func bagOfWords() -> BaselineResult {
        let vocabulary = WordColumns(train)
        let outputCount = if case .classification(let classCount) = kind { classCount } else { 1 }
        let fitting = LinearFit(
            rows: counts(train, vocabulary), outputCount: outputCount, residuals: residuals(of: train))
        let outputs = fitting.outputs(for: counts(dev, vocabulary))
        return BaselineResult(name: "bag of words", scores: predictions(from: outputs).scores)
    }

    /// A row per example, or per candidate where there are several.
    private func counts(_ examples: [Example], _ vocabulary: WordColumns) -> SparseRows {
        var rows = SparseRows(columnCount: vocabulary.count)
        for example in examples {
            if kind == .ranking {
                for candidate in example.second {
                    rows.append(vocabulary.counts(first: example.first, second: candidate))
                }
            } else {
                rows.append(vocabulary.counts(first: example.first, second: example.second.first ?? ""))
            }
        }
        return rows
    }

    /// The derivative of the mean loss by the outputs, which it is given and replaces.
    private func residuals(of examples: [Example]) -> (inout [Double]) -> Void {
        let scale = 1 / Double(examples.count)
        switch kind {
        case .classification(let classCount):
            let labels = examples.classes
            return { outputs in
                for (row, label) in labels.enumerated() {
                    let range = row * classCount..<(row + 1) * classCount
                    Self.crossEntropyGradient(&outputs, range, right: label, scale: scale)
                }
            }
        case .regression:
            let labels = examples.numbers
            return { outputs in
                for row in outputs.indices { outputs[row] = (outputs[row] - labels[row]) * scale }
            }
        case .ranking:
            let positives = examples.classes
            let counts = examples.map(\.second.count)
            return { outputs in
                var start = 0
                for (positive, count) in zip(positives, counts) {
                    Self.crossEntropyGradient(&outputs, start..<start + count, right: positive, scale: scale)
                    start += count
                }
            }
        }
    }

    /// Replaces logits by scale · (softmax − 1 at the right one).
    private static func crossEntropyGradient(
        _ outputs: inout [Double], _ range: Range<Int>, right: Int, scale: Double
    ) {
        let largest = outputs[range].max()!
        var sum = 0.0
        for index in range {
            outputs[index] = exponential(outputs[index] - largest)
            sum += outputs[index]
        }
        for index in range { outputs[index] *= scale / sum }
        outputs[range.lowerBound + right] -= scale
    }

    private func predictions(from outputs: [Double]) -> Predictions {
        switch kind {
        case .classification(let classCount):
            let classes = dev.indices.map { row in
                (0..<classCount).max { outputs[row * classCount + $0] < outputs[row * classCount + $1] }!
            }
            return .classes(classes, labels: dev.classes)
        case .regression:
            return .numbers(outputs, labels: dev.numbers)
        case .ranking:
            var start = 0
            let scores = dev.map { example in
                defer { start += example.second.count }
                return Array(outputs[start..<start + example.second.count])
            }
            return .candidates(scores, positives: dev.classes)
        }
    }
}

/// A column for each word of each side of the training examples, and one that is always 1.
private struct WordColumns {
    private var first: [String: Int] = [:]
    private var second: [String: Int] = [:]
    private(set) var count = 1

    init(_ examples: [Example]) {
        for example in examples {
            for word in words(of: example.first) where first[word] == nil {
                first[word] = count
                count += 1
            }
            for text in example.second {
                for word in words(of: text) where second[word] == nil {
                    second[word] = count
                    count += 1
                }
            }
        }
    }

    /// How often each column's word occurs; words that training never showed are left out.
    func counts(first firstText: String, second secondText: String) -> [Int: Double] {
        var counts = [0: 1.0]
        for word in words(of: firstText) {
            if let column = first[word] { counts[column, default: 0] += 1 }
        }
        for word in words(of: secondText) {
            if let column = second[word] { counts[column, default: 0] += 1 }
        }
        return counts
    }
}
