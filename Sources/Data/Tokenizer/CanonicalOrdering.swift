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
                    insert(part, opensDecomposition: index == 0, into: &parts)
                }
                origins.append(position)
            }
            position = next
        }
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

    /// Puts a scalar behind all marks of its own or a lower class and behind the last starter.
    private func insert(_ scalar: Unicode.Scalar, opensDecomposition: Bool, into parts: inout [Part]) {
        let order = UnicodeData.combiningClass(scalar)
        var index = parts.count
        if order != 0 {
            while index > 0 && parts[index - 1].order > order { index -= 1 }
        }
        parts.insert(Part(scalar: scalar, order: order, opensDecomposition: opensDecomposition), at: index)
    }
}
