extension TextScanner {
    /// Appends a scalar whose decomposition holds marks that stay, together with the marks that follow it, in canonical
    /// order: marks between two starters are sorted by combining class. Returns the position after them.
    ///
    /// Nearly all marks are accents and vanish; few others have a combining class, so this path may be slow.
    mutating func appendMarks(at start: Int) -> Int {
        var parts: [Part] = []
        var origins: [Int] = []
        var position = startOfMarks(before: start)
        while position < text.count {
            let (value, next) = decodeScalar(at: position, of: text)
            let scalar = Unicode.Scalar(value)!
            // What cleaning removes does not separate marks.
            if !UnicodeData.isRemoved(scalar) {
                let decomposition = UnicodeData.decomposition(scalar)
                if position > start && UnicodeData.combiningClass(decomposition[0]) == 0 { break }
                for (index, part) in decomposition.enumerated() {
                    parts.append(
                        Part(
                            scalar: part, order: UnicodeData.combiningClass(part), opensDecomposition: index == 0))
                }
                origins.append(position)
            }
            position = next
        }
        Self.sortMarks(&parts)
        // Where a sorted part comes from is for Hugging Face a matter of counting: the next scalar of the text, or, for a part that its
        // decomposition added, the same as before.
        var opened = 0
        for part in parts {
            if part.opensDecomposition { opened += 1 }
            if UnicodeData.isAccent(part.scalar) { continue }
            source = origins[max(0, opened - 1)]
            for letter in rules.lowercased(part.scalar) { appendScalar(letter.value) }
        }
        return position
    }

    /// Where the marks begin that stand before `start`: accents, which vanished already, but are sorted with those that stay.
    private func startOfMarks(before start: Int) -> Int {
        var first = start
        // A starter sorts no marks before it, although its own decomposition may hold some.
        let opening = Unicode.Scalar(decodeScalar(at: start, of: text).value)!
        guard UnicodeData.combiningClass(UnicodeData.decomposition(opening)[0]) != 0 else { return start }
        while first > 0 {
            var previous = first - 1
            while text[previous] & 0xC0 == 0x80 { previous -= 1 }
            let scalar = Unicode.Scalar(decodeScalar(at: previous, of: text).value)!
            let isMark = UnicodeData.combiningClass(UnicodeData.decomposition(scalar)[0]) != 0
            guard isMark || UnicodeData.isRemoved(scalar) else { break }
            first = previous
        }
        return first
    }

    private struct Part {
        let scalar: Unicode.Scalar
        let order: UInt8
        let opensDecomposition: Bool
    }

    /// Sorts the marks between two starters by their class, those of one class as they stand.
    private static func sortMarks(_ parts: inout [Part]) {
        var first = 0
        while first < parts.count {
            let end = parts[first...].firstIndex { $0.order == 0 } ?? parts.count
            // A text of nothing but marks is hostile, and must not take its length squared.
            if end - first > 1 {
                let sorted = parts[first..<end].enumerated().sorted {
                    ($0.element.order, $0.offset) < ($1.element.order, $1.offset)
                }
                parts.replaceSubrange(first..<end, with: sorted.map(\.element))
            }
            first = end + 1
        }
    }
}
