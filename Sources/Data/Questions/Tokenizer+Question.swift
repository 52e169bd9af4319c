extension Tokenizer {
    /// The most tokens of a question, as in BERT's recipe: the rest is cut off.
    static let longestQuestion = 64

    /// A question with each window of its context: `[CLS] question [SEP] window [SEP]`.
    ///
    /// Of a labelled question each window has one token marked as the answer's start and one as its end, the first and the last that hold any of it;
    /// [CLS] is both where not all of these tokens are in the window. Of several right answers the first is marked.
    /// - Parameters:
    ///   - maximumLength: Tokens of a sequence at most.
    ///   - stride: How many tokens after the one before a window starts.
    func encodeQuestion(
        _ example: Example, answers: [AnswerSpan], maximumLength: Int, stride: Int
    ) -> TokenizedExample {
        let room = maximumLength - 3
        precondition(room > 1, "no room for [CLS], two [SEP], and a token of question and context")
        let context = example.second[0]
        let question = tokens(of: example.first).prefix(min(Self.longestQuestion, room / 2))
        var (pieces, ranges) = tokensWithRanges(of: context)
        // A context of characters that the tokenizer drops is a context all the same.
        if pieces.isEmpty { (pieces, ranges) = ([vocabulary.unknown], [0..<context.utf8.count]) }
        let answer = answers.first.flatMap { tokenSpan(of: $0.bytes, in: ranges) }
        let opening = [vocabulary.classification] + question + [vocabulary.separator]
        let cut = ContextWindows(tokenCount: pieces.count, length: room - question.count, stride: stride)

        var sequences: [EncodedText] = []
        var marks: [SpanMark] = []
        var shownRanges: [[Range<Int>]] = []
        let none = 0..<0
        for (number, window) in cut.windows.enumerated() {
            let first = marks.count
            let tokens = opening + pieces[window] + [vocabulary.separator]
            sequences.append(
                EncodedText(tokens: tokens, segments: tokens.indices.map { $0 < opening.count ? 0 : 1 }))
            shownRanges.append(opening.map { _ in none } + ranges[window] + [none])
            marks += repeatElement([], count: opening.count)
            marks += window.map { cut.widest(of: $0) == number ? .widest : [] }
            marks.append([])
            guard example.label != nil else { continue }
            if let answer, window.contains(answer.lowerBound), window.contains(answer.upperBound) {
                let shift = first + opening.count - window.lowerBound
                marks[shift + answer.lowerBound].insert(.start)
                marks[shift + answer.upperBound].insert(.end)
            } else {
                marks[first] = [.start, .end]
            }
        }
        return TokenizedExample(
            uid: example.uid, sequences: sequences, label: example.label, tokenLabels: marks.map(\.rawValue),
            context: QuestionContext(text: context, answers: answers.map(\.text), ranges: shownRanges))
    }

    /// The first and the last token that hold any of some bytes; nil where the tokenizer drops all of them.
    private func tokenSpan(of bytes: Range<Int>, in ranges: [Range<Int>]) -> ClosedRange<Int>? {
        guard let first = ranges.firstIndex(where: { $0.upperBound > bytes.lowerBound }),
            let last = ranges.lastIndex(where: { $0.lowerBound < bytes.upperBound }), first <= last
        else { return nil }
        return first...last
    }
}
