/// Who did what to whom: the meaning behind the sentences of three of the demo's tasks.
struct DemoFact: Hashable, Sendable {
    let agent: String
    let verb: String
    let patient: String

    /// The same deed with the roles exchanged.
    var swapped: DemoFact { DemoFact(agent: patient, verb: verb, patient: agent) }

    /// A fact and its swapped form are in the same split: one is always at hand to contrast with the other.
    var split: DemoSplit { DemoSplit(filling: [verb] + [agent, patient].sorted()) }

    /// All facts of a split.
    static func all(in split: DemoSplit) -> [DemoFact] {
        DemoWords.animals.flatMap { agent in
            DemoWords.verbs.flatMap { verb in
                DemoWords.animals.filter { $0 != agent }.map { DemoFact(agent: agent, verb: verb, patient: $0) }
            }
        }.filter { $0.split == split }
    }

    /// The fact as a sentence, one in four in passive voice.
    ///
    /// With as many passives as actives nothing could be learned from the order of words before all of voice, order and
    /// identity are understood at once, and a small encoder never finds a beginning.
    func sentence(negated: Bool = false, _ random: inout SplitMix64) -> String {
        sentence(passive: random.chance(0.25), negated: negated)
    }

    /// The fact as a sentence, such as "the fox chased the hen" or "the hen was never chased by the fox".
    func sentence(passive: Bool, negated: Bool) -> String {
        let never = negated ? ["never"] : []
        let words =
            passive
            ? ["the", patient, "was"] + never + [verb, "by", "the", agent]
            : ["the", agent] + never + [verb, "the", patient]
        return words.joined(separator: " ")
    }
}

/// The facts of one split, to choose from.
struct DemoFacts: Sendable {
    private static let train = DemoFacts(facts: DemoFact.all(in: .train))
    private static let dev = DemoFacts(facts: DemoFact.all(in: .dev))

    private let facts: [DemoFact]

    static func of(_ split: DemoSplit) -> DemoFacts { split == .train ? train : dev }

    /// Any fact of the split.
    func any(_ random: inout SplitMix64) -> DemoFact { random.pick(from: facts) }

    /// A fact of the split that keeps exactly the named roles of another; nil where there is none.
    ///
    /// Never the swapped fact: it differs in agent and patient too, but is a contrast of its own.
    func variant(of fact: DemoFact, keeping roles: Set<DemoRole>, _ random: inout SplitMix64) -> DemoFact? {
        let variants = facts.filter {
            ($0.agent == fact.agent) == roles.contains(.agent)
                && ($0.verb == fact.verb) == roles.contains(.verb)
                && ($0.patient == fact.patient) == roles.contains(.patient)
                && $0 != fact.swapped
        }
        return variants.isEmpty ? nil : random.pick(from: variants)
    }
}

/// The parts that words play in a fact.
enum DemoRole: CaseIterable, Sendable {
    case agent, verb, patient
}
