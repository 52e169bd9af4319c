/// Is the sentence's verdict good or bad?
///
/// "never" or "not" turns a word of praise or blame around; "but" gives the verdict to the clause after it, "although"
/// to the clause before it. Every word occurs as often in good sentences as in bad ones.
enum DemoSentiment {
    static let task = DemoTask(name: "sentiment", rowCounts: [.train: 3000, .dev: 400], makeRow: row)

    private static func row(_ split: DemoSplit, _ random: inout SplitMix64) -> DemoRow? {
        let clauses = [DemoClause(&random), DemoClause(&random)]
        guard clauses[0].topic != clauses[1].topic else { return nil }
        if random.chance(0.25) {
            return row(split, [clauses[0]], clauses[0].sentence, verdict: clauses[0])
        }
        let (word, verdict) = random.chance(0.5) ? ("but", clauses[1]) : ("although", clauses[0])
        return row(split, clauses, "\(clauses[0].sentence) \(word) \(clauses[1].sentence)", verdict: verdict)
    }

    private static func row(
        _ split: DemoSplit, _ clauses: [DemoClause], _ sentence: String, verdict: DemoClause
    ) -> DemoRow? {
        // Sorted, so that the same two clauses in the other order stay in the same split.
        guard DemoSplit(filling: clauses.map(\.filling).sorted()) == split else { return nil }
        return DemoRow(label: verdict.isPositive ? "positive" : "negative", first: sentence, second: [])
    }
}

/// One judgement, such as "the soup was not lovely".
private struct DemoClause {
    let topic: String
    let judgement: String
    let negated: Bool
    let isPositive: Bool

    init(_ random: inout SplitMix64) {
        let praises = random.chance(0.5)
        topic = random.pick(from: DemoWords.topics)
        judgement = random.pick(from: praises ? DemoWords.praise : DemoWords.blame)
        negated = random.chance(0.5)
        isPositive = praises != negated
    }

    var filling: String { "\(topic) \(judgement)" }
    var sentence: String { "the \(topic) was \(negated ? "not " : "")\(judgement)" }
}
