// The scores of SQuAD's official programs, `evaluate-v1.1.py` and `evaluate-v2.0.py`, as shares and not in percent.
extension Metrics {
    /// The share of answers that are one of the right ones, but for case, ASCII punctuation, English articles and space; NaN for no questions.
    ///
    /// - Parameters:
    ///   - right: Each question's right answers; none where the right answer is the empty one.
    ///   - mayBeNone: Whether the rules are SQuAD 2.0's: right answers of which nothing is left do not count, but for one where none has anything.
    public static func exactMatch(predictions: [String], right: [[String]], mayBeNone: Bool) -> Double {
        meanOfBest(predictions, right, mayBeNone) { $0 == $1 ? 1 : 0 }
    }

    /// The mean over questions of the best F1 score of an answer's words against those of a right answer; NaN for no questions.
    ///
    /// Parameters are those of `exactMatch`. Where neither has words the score is 1 in SQuAD 2.0, and 0 in SQuAD 1.1.
    public static func answerF1(predictions: [String], right: [[String]], mayBeNone: Bool) -> Double {
        meanOfBest(predictions, right, mayBeNone) { words, rightWords in
            if mayBeNone, words.isEmpty || rightWords.isEmpty { return words == rightWords ? 1 : 0 }
            var counts: [AnswerWord: Int] = [:]
            for word in rightWords { counts[word, default: 0] += 1 }
            var common = 0
            for word in words where counts[word, default: 0] > 0 {
                counts[word]! -= 1
                common += 1
            }
            guard common > 0 else { return 0 }
            let precision = Double(common) / Double(words.count), recall = Double(common) / Double(rightWords.count)
            return 2 * precision * recall / (precision + recall)
        }
    }

    private static func meanOfBest(
        _ predictions: [String], _ right: [[String]], _ mayBeNone: Bool,
        _ score: ([AnswerWord], [AnswerWord]) -> Double
    ) -> Double {
        precondition(predictions.count == right.count, "\(predictions.count) answers to \(right.count) questions")
        return mean(
            zip(predictions, right).map { prediction, right in
                var candidates = right.map(answerWords)
                if mayBeNone { candidates.removeAll(where: \.isEmpty) }
                if candidates.isEmpty { candidates = [[]] }
                let words = answerWords(of: prediction)
                return candidates.reduce(0) { max($0, score(words, $1)) }
            })
    }
}

/// Compared scalar by scalar: `String` takes é and e with an accent for equal, and Python does not.
private typealias AnswerWord = [Unicode.Scalar]

/// The words of an answer as the official programs compare them: in lower case, without ASCII punctuation and without articles.
private func answerWords(of text: String) -> [AnswerWord] {
    let scalars = lowercased(Array(text.unicodeScalars)).filter { !isPunctuation($0) }
    var words: [AnswerWord] = [[]]
    var position = 0
    while position < scalars.count {
        // An article is a stretch of letters and digits of its own, whatever stands around it.
        let end = scalars[position...].firstIndex { isWordPart($0) != isWordPart(scalars[position]) } ?? scalars.count
        let stretch = scalars[position..<end]
        position = end
        if articles.contains(where: { stretch.elementsEqual($0.unicodeScalars) }) {
            words.append([])
            continue
        }
        for scalar in stretch {
            if isSpace(scalar) { words.append([]) } else { words[words.count - 1].append(scalar) }
        }
    }
    return words.filter { !$0.isEmpty }
}

private let articles = ["a", "an", "the"]

/// Python's `string.punctuation`.
private func isPunctuation(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 33...47, 58...64, 91...96, 123...126: true
    default: false
    }
}

/// Python's `\w`, but for the underscore, which is punctuation.
private func isWordPart(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: true
    default: scalar.properties.numericType != nil
    }
}

/// What Python's `split` divides at.
private func isSpace(_ scalar: Unicode.Scalar) -> Bool {
    scalar.properties.isWhitespace || (0x1C...0x1F).contains(scalar.value)
}

/// Python's `lower`: Unicode's full mapping, a capital sigma at a word's end becoming the letter for that place.
private func lowercased(_ scalars: [Unicode.Scalar]) -> [Unicode.Scalar] {
    scalars.indices.flatMap { index -> [Unicode.Scalar] in
        guard scalars[index] == "Σ" else { return Array(scalars[index].properties.lowercaseMapping.unicodeScalars) }
        let before = scalars[..<index].last { !$0.properties.isCaseIgnorable }
        let after = scalars[(index + 1)...].first { !$0.properties.isCaseIgnorable }
        let isLast = before?.properties.isCased ?? false && !(after?.properties.isCased ?? false)
        return [isLast ? "ς" : "σ"]
    }
}
