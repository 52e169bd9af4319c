/// How alike are two deeds, from 0 to 5? The same agent counts 2, the same patient 2 and the same verb 1.
///
/// One time in four the roles are exchanged: all words are the same and the score is 1.
enum DemoSimilarity {
    static let task = DemoTask(name: "similarity", rowCounts: [.train: 5000, .dev: 500], makeRow: row)

    private static func row(_ split: DemoSplit, _ random: inout SplitMix64) -> DemoRow? {
        let facts = DemoFacts.of(split)
        let first = facts.any(&random)
        let second: DemoFact
        if random.chance(0.25) {
            second = first.swapped
        } else {
            let kept = Set(DemoRole.allCases.filter { _ in random.chance(0.5) })
            guard let variant = facts.variant(of: first, keeping: kept, &random) else { return nil }
            second = variant
        }
        return DemoRow(
            label: String(score(first, second)),
            first: first.sentence(&random),
            second: [second.sentence(&random)])
    }

    private static func score(_ first: DemoFact, _ second: DemoFact) -> Int {
        (first.agent == second.agent ? 2 : 0) + (first.verb == second.verb ? 1 : 0)
            + (first.patient == second.patient ? 2 : 0)
    }
}
