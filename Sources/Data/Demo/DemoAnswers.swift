/// Which of three to six sentences answers "who chased the hen ?" or "who was chased by the hen ?"
///
/// One wrong candidate always has the right one's words in exchanged roles, the others differ in a word besides. Voices
/// are drawn independently of which candidate is right.
enum DemoAnswers {
    static let task = DemoTask(name: "answers", rowCounts: [.train: 2500, .dev: 300], makeRow: row)

    private static func row(_ split: DemoSplit, _ random: inout SplitMix64) -> DemoRow? {
        let facts = DemoFacts.of(split)
        let answer = facts.any(&random)
        let asksForAgent = random.chance(0.5)
        let known = asksForAgent ? answer.patient : answer.agent
        // A question is a filling too, with one role left open.
        guard DemoSplit(filling: ["who", answer.verb, known]) == split else { return nil }

        var candidates = [answer, answer.swapped]
        let knownRole: DemoRole = asksForAgent ? .patient : .agent
        let wrong: [Set<DemoRole>] = [[.agent, .patient], [.verb, asksForAgent ? .agent : .patient], [knownRole]]
        let count = 3 + random.next(below: 4)
        while candidates.count < count {
            guard let other = facts.variant(of: answer, keeping: random.pick(from: wrong), &random) else { return nil }
            let candidate = random.chance(0.5) ? other : other.swapped
            guard !candidates.contains(candidate) else { return nil }
            candidates.append(candidate)
        }

        let order = random.shuffled(Array(candidates.indices))
        return DemoRow(
            label: order.map { $0 == 0 ? "1" : "0" }.joined(separator: ","),
            first: asksForAgent ? "who \(answer.verb) the \(known) ?" : "who was \(answer.verb) by the \(known) ?",
            second: order.map { candidates[$0].sentence(&random) })
    }
}
