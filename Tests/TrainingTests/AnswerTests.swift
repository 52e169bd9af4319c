import Data
import Foundation
import TestSupport
import Testing

@testable import Training

/// Answers found in scores, and what they are worth, against the official programs (`Tests/References/questions.py`).
struct AnswerTests {
    private struct Search: Decodable {
        let words: [String]
        let windows: [[Int]]  // first word and number of words
        let questionLength: Int
        let scores: [[[Float]]]  // of each window those of starts and of ends
        let answer, answerOrNone: String

        enum CodingKeys: String, CodingKey {
            case words, windows, scores, answer
            case questionLength = "question_length"
            case answerOrNone = "answer_or_none"
        }

        /// For each word the number of the window that shows most around it, by the rule as BERT's program writes it.
        var widest: [Int] {
            words.indices.map { word in
                let shown = windows.map { window -> Double in
                    let left = word - window[0], right = window[0] + window[1] - 1 - word
                    return min(left, right) < 0 ? -1 : Double(min(left, right)) + 0.01 * Double(window[1])
                }
                return shown.firstIndex(of: shown.max()!)!
            }
        }

        /// The same as a question of ours, each word of the context one token.
        var question: (context: QuestionContext, marks: [Int32], scores: [Float]) {
            var context = QuestionContext(text: words.joined(separator: " "), answers: [], ranges: [])
            var bytes: [Range<Int>] = []
            for word in words {
                let start = bytes.last.map { $0.upperBound + 1 } ?? 0
                bytes.append(start..<(start + word.utf8.count))
            }
            var marks: [Int32] = [], values: [Float] = []
            for (number, window) in windows.enumerated() {
                let shown = window[0]..<(window[0] + window[1])
                let head = [Range<Int>](repeating: 0..<0, count: questionLength + 2)
                context.ranges.append(head + bytes[shown] + [0..<0])
                marks += head.map { _ in 0 } + shown.map { widest[$0] == number ? 4 : 0 } + [0]
                for (start, end) in zip(scores[number][0], scores[number][1]) { values += [start, end] }
            }
            return (context, marks, values)
        }
    }

    private struct Score: Decodable {
        let answer: String
        let right, rightOrNone: [String]
        let exact, f1, exactOrNone, f1OrNone: Double

        enum CodingKeys: String, CodingKey {
            case answer, right, exact, f1
            case rightOrNone = "right_or_none"
            case exactOrNone = "exact_or_none"
            case f1OrNone = "f1_or_none"
        }
    }

    private func cases<Case: Decodable>(_ name: String) throws -> [Case] {
        try JSONDecoder().decode(
            [Case].self, from: Foundation.Data(contentsOf: URL(fileURLWithPath: References.path(name))))
    }

    @Test func `The best span is that of BERT's recipe`() throws {
        let cases: [Search] = try cases("answer-search.json")
        for (index, test) in cases.enumerated() {
            let (context, marks, scores) = test.question
            // Scores lie somewhere among those of other questions.
            let slice = ([9, 9] + scores)[2...]
            for (allowsNone, expected) in [(false, test.answer), (true, test.answerOrNone)] {
                let found = context.answer(slice, marks: marks, allowsNone: allowsNone)
                #expect(found.text == expected, "case \(index)")
                #expect((found.start == nil) == expected.isEmpty)
                if let start = found.start {
                    #expect(context.text.dropFirst(start).hasPrefix(expected))
                }
            }
        }
        #expect(
            cases.count == 80 && cases.contains { $0.answerOrNone.isEmpty } && cases.contains { $0.windows.count > 2 })
    }

    /// One window of [CLS] q [SEP] a b c [SEP], in which "a" is an answer two bytes long.
    private func answer(starts: [Float], ends: [Float], allowsNone: Bool = true) -> FoundAnswer {
        let ranges = [0..<0, 0..<0, 0..<0, 0..<2, 3..<4, 5..<6, 0..<0]
        let context = QuestionContext(text: "é b c", answers: [], ranges: [ranges])
        let scores = zip(starts, ends).flatMap { [$0, $1] }
        return context.answer(scores[...], marks: [0, 0, 0, 4, 4, 0, 0], allowsNone: allowsNone)
    }

    @Test func `Only tokens of the context answer, in order, and as much as [CLS] is enough`() {
        let tie = answer(starts: [1, 9, 9, 0, 2, 9, 9], ends: [1, 9, 9, 0, 0, 0, 9])
        #expect(tie == FoundAnswer(text: "b", start: 2, score: 2, noneScore: 2))
        #expect(answer(starts: [1, 9, 9, 0, 2, 9, 9], ends: [1.5, 9, 9, 0, 0, 0, 9]).text == "")
        #expect(answer(starts: [1, 0, 0, 0, 2, 9, 0], ends: [9, 0, 0, 7, 0, 1, 0], allowsNone: false).text == "é")
        let whole = answer(starts: [0, 0, 0, 9, 0, 0, 0], ends: [0, 0, 0, 0, 1, 2, 0])
        #expect(whole == FoundAnswer(text: "é b c", start: 0, score: 11, noneScore: 0))
    }

    @Test func `Where no span is possible there is no answer`() {
        let context = QuestionContext(text: "a", answers: [], ranges: [[0..<0, 0..<0, 0..<0]])
        let found = context.answer([1, 2, 3, 4, 5, 6], marks: [0, 0, 0], allowsNone: false)
        #expect(found == FoundAnswer(text: "", start: nil, score: nil, noneScore: 3))
    }

    @Test func `Exact match and F1 are those of the official programs`() throws {
        let cases: [Score] = try cases("answer-scores.json")
        #expect(cases.count == 400 && cases.count { $0.f1 > 0 && $0.f1 < 1 } > 80)
        for test in cases {
            let text = test.answer.unicodeScalars.map { $0.escaped(asASCII: true) }.joined()
            let first = Predictions.answers([test.answer], right: [test.right], mayBeNone: false)
            #expect(abs(first.score("EM")! - test.exact) < 1e-12, "\(text)")
            #expect(abs(first.score("F1")! - test.f1) < 1e-12, "\(text)")
            let second = Predictions.answers([test.answer], right: [test.rightOrNone], mayBeNone: true)
            #expect(abs(second.score("EM")! - test.exactOrNone) < 1e-12, "\(text)")
            #expect(abs(second.score("F1")! - test.f1OrNone) < 1e-12, "\(text)")
        }
        let all = Predictions.answers(cases.map(\.answer), right: cases.map(\.right), mayBeNone: false)
        #expect(abs(all.score("F1")! - cases.reduce(0) { $0 + $1.f1 } / 400) < 1e-9)
        #expect(all.scores.keys.sorted() == ["EM", "F1"])
    }

    @Test func `No questions have no score`() {
        let none = Predictions.answers([], right: [], mayBeNone: true)
        #expect(none.score("EM")!.isNaN && none.score("F1")!.isNaN && none.score("ACC") == nil)
    }
}
