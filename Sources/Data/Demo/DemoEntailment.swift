/// Given the premise, is the hypothesis true (entailment), false (contradiction) or open (neutral)?
///
/// The same deed in active or passive voice is true, or false when exactly one of the two sentences says "never". Other
/// roles leave it open; two times in three they are the same words, exchanged. Voices and negation are drawn
/// independently of the label, so neither sentence alone tells anything.
enum DemoEntailment {
    static let task = DemoTask(name: "entailment", rowCounts: [.train: 6000, .dev: 600], makeRow: row)

    private static func row(_ split: DemoSplit, _ random: inout SplitMix64) -> DemoRow? {
        let facts = DemoFacts.of(split)
        let premise = facts.any(&random)
        let negated = random.chance(0.5)
        let label = random.pick(from: ["contradiction", "neutral", "entailment"])

        var hypothesis = premise
        var hypothesisNegated = negated
        switch label {
        case "contradiction": hypothesisNegated.toggle()
        case "neutral":
            hypothesisNegated = random.chance(0.5)
            if random.chance(2.0 / 3) {
                hypothesis = premise.swapped
            } else {
                let kept: Set<DemoRole> = random.chance(0.5) ? [.agent, .verb] : [.verb, .patient]
                guard let variant = facts.variant(of: premise, keeping: kept, &random) else { return nil }
                hypothesis = variant
            }
        default: break
        }
        return DemoRow(
            label: label,
            first: premise.sentence(negated: negated, &random),
            second: [hypothesis.sentence(negated: hypothesisNegated, &random)])
    }
}
