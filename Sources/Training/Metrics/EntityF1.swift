extension Metrics {
    /// A stretch of words with a type.
    private struct Entity: Hashable {
        let sentence: Int
        let type: Substring
        let words: Range<Int>
    }

    /// The harmonic mean of precision and recall of entities, which must agree in type and in all their words; 0 where nothing is found, NaN for no words.
    ///
    /// Entities are read from labels as the CoNLL shared task's `conlleval` does, and seqeval by default: `B-` begins one, `I-` goes on or, after another type or
    /// none, begins one, `E-` ends one, `S-` is one.
    public static func entityF1(predictions: [[String]], labels: [[String]]) -> Double {
        precondition(predictions.map(\.count) == labels.map(\.count), "predictions and labels of different words")
        guard labels.contains(where: { !$0.isEmpty }) else { return .nan }
        let (found, right) = (entities(predictions), entities(labels))
        let named = found.count + right.count
        return named == 0 ? 0 : 2 * Double(found.intersection(right).count) / Double(named)
    }

    private static func entities(_ sentences: [[String]]) -> Set<Entity> {
        var entities: Set<Entity> = []
        for (sentence, labels) in sentences.enumerated() {
            var previous = (tag: Character("O"), type: Substring())
            var start = 0
            for (index, label) in (labels + ["O"]).enumerated() {
                let tag = label.first ?? "O"
                let type = label.firstIndex(of: "-").map { label[label.index(after: $0)...] } ?? label[...]
                if ends(previous, before: (tag, type)) {
                    entities.insert(Entity(sentence: sentence, type: previous.type, words: start..<index))
                }
                if begins((tag, type), after: previous) { start = index }
                previous = (tag, type)
            }
        }
        return entities
    }

    private typealias Label = (tag: Character, type: Substring)

    /// Whether an entity ends before a label.
    private static func ends(_ previous: Label, before next: Label) -> Bool {
        switch (previous.tag, next.tag) {
        case ("E", _), ("S", _): true
        case ("B", "B"), ("B", "S"), ("B", "O"), ("I", "B"), ("I", "S"), ("I", "O"): true
        case ("O", _), (".", _): false
        default: previous.type != next.type
        }
    }

    /// Whether an entity begins at a label.
    private static func begins(_ next: Label, after previous: Label) -> Bool {
        switch (previous.tag, next.tag) {
        case (_, "B"), (_, "S"): true
        case ("E", "E"), ("E", "I"), ("S", "E"), ("S", "I"), ("O", "E"), ("O", "I"): true
        case (_, "O"), (_, "."): false
        default: previous.type != next.type
        }
    }
}
