import Foundation

extension TaskDefinition {
    /// Whether its head scores whole sentences, and tells nothing of their words. Only such tasks have mt-dnn's JSON lines, and baselines.
    public var scoresSentences: Bool {
        switch kind {
        case .classification, .regression, .ranking: true
        case .labelling, .span, .maskedWords: false
        }
    }

    /// An example as a line of mt-dnn's preprocessed JSON lines: `uid`, `label`, `token_id`, `type_id`, `attention_mask`.
    ///
    /// Ranking has lists of lists, the right candidate's place as `label`, its list of zeros and a one as `olabel`, and the candidates' ids as
    /// `ruid`. Reading gives the same example back. An example without a label has none in its line.
    ///
    /// - Parameter softLabels: A teacher's scores; empty for none.
    public func jsonLine(of example: TokenizedExample, softLabels: [Float] = []) throws -> String {
        precondition(scoresSentences, "what is told of words has no JSON lines")
        let isRanking = if case .ranking = kind { true } else { false }
        let tokens = example.sequences.map { list($0.tokens) }
        let segments = example.sequences.map { list($0.segments) }
        let masks = example.sequences.map { list(Array(repeating: 1, count: $0.tokens.count)) }
        var entries = [("uid", try text(example.uid))]
        if let label = example.label {
            entries.append(("label", kind.isRegression ? number(label) : "\(Int(label))"))
        }
        for (key, values) in [("token_id", tokens), ("type_id", segments), ("attention_mask", masks)] {
            entries.append((key, isRanking ? list(values) : values[0]))
        }
        if isRanking {
            let ids =
                example.candidateIDs.isEmpty
                ? example.sequences.indices.map { "\(example.uid)-\($0)" } : example.candidateIDs
            entries.append(("ruid", list(try ids.map(text))))
            if let label = example.label {
                entries.append(("olabel", list(example.sequences.indices.map { $0 == Int(label) ? 1 : 0 })))
            }
        }
        if !softLabels.isEmpty {
            entries.append(("softlabel", kind.isRegression ? number(softLabels[0]) : list(softLabels.map(number))))
        }
        return "{" + entries.map { "\"\($0.0)\": \($0.1)" }.joined(separator: ", ") + "}"
    }

    private func list(_ values: [some Any]) -> String { "[" + values.map { "\($0)" }.joined(separator: ", ") + "]" }

    private func text(_ value: String) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    /// As few digits as give the number back, also through a reader's Double.
    private func number(_ value: Float) -> String {
        let short = "\(value)"
        return Double(short).map { Float($0) } == value ? short : "\(Double(value))"
    }
}
