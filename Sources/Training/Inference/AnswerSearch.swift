import Data

/// What the scores of a question's windows give as its answer.
struct FoundAnswer: Equatable {
    /// The answer, cut from the context; empty for no answer.
    var text = ""
    /// Where in the context it starts, in Unicode scalars as SQuAD counts; nil for no answer.
    var start: Int?
    /// The start's score and the end's together, of the best span; nil where no span is possible.
    var score: Double?
    /// What speaks against an answer: the least that [CLS] scores as start and end of a window.
    var noneScore: Double
}

extension QuestionContext {
    /// Of each window so many starts and ends are looked at, the best ones.
    private static let candidateCount = 20
    /// Most tokens of an answer.
    private static let longestAnswer = 30

    /// The best span over all windows, as BERT's recipe for SQuAD finds it: its start is one of the 20 best of a window and so is its end, it has at most
    /// 30 tokens, and it starts in that window which shows most of what surrounds its start. Where an answer may be missing it must score at least as
    /// much as [CLS].
    /// - Parameters:
    ///   - scores: Each token's as start and as end, of all windows [tokens · 2].
    ///   - marks: Each token's `SpanMark` [tokens].
    func answer(_ scores: ArraySlice<Float>, marks: [Int32], allowsNone: Bool) -> FoundAnswer {
        var best: (score: Double, bytes: Range<Int>)?
        var noneScore = Double.infinity
        var first = 0
        for window in ranges {
            func score(_ token: Int, _ end: Int) -> Double {
                Double(scores[scores.startIndex + 2 * (first + token) + end])
            }
            noneScore = min(noneScore, score(0, 0) + score(0, 1))
            let starts = Self.best(window.indices) { score($0, 0) }.filter {
                SpanMark(rawValue: marks[first + $0]).contains(.widest)
            }
            let ends = Self.best(window.indices) { score($0, 1) }.filter { !window[$0].isEmpty }
            for start in starts {
                for end in ends where end >= start && end - start < Self.longestAnswer {
                    let sum = score(start, 0) + score(end, 1)
                    guard sum > best?.score ?? -.infinity else { continue }
                    best = (sum, window[start].lowerBound..<max(window[start].upperBound, window[end].upperBound))
                }
            }
            first += window.count
        }
        var answer = FoundAnswer(score: best?.score, noneScore: noneScore)
        if let best, !allowsNone || best.score >= noneScore {
            let before = text.utf8.prefix(best.bytes.lowerBound)
            answer.start = text.unicodeScalars[..<before.endIndex].count
            answer.text = String(decoding: text.utf8[before.endIndex...].prefix(best.bytes.count), as: UTF8.self)
        }
        return answer
    }

    /// The places of the highest scores, the highest first, of equal ones the first.
    private static func best(_ tokens: Range<Int>, _ score: (Int) -> Double) -> ArraySlice<Int> {
        let scores = tokens.map(score)
        return tokens.sorted { scores[$0] == scores[$1] ? $0 < $1 : scores[$0] > scores[$1] }.prefix(candidateCount)
    }
}
