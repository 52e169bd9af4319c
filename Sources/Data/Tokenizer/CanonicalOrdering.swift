extension TextScanner {
    /// Appends a scalar whose decomposition holds marks that stay, together with the marks that follow it, in canonical
    /// order: marks between two starters are sorted by combining class. Returns the position after them.
    ///
    /// Nearly all marks are accents and vanish; few others have a combining class, so this path may be slow.
    mutating func appendMarks(at start: Int, of text: UnsafeBufferPointer<UInt8>) -> Int {
        var parts: [(scalar: Unicode.Scalar, order: UInt8)] = []
        var position = start
        while position < text.count {
            let (value, next) = decodeScalar(at: position, of: text)
            let scalar = Unicode.Scalar(value)!
            // What cleaning removes does not separate marks.
            if !UnicodeData.isRemoved(scalar) {
                let decomposition = UnicodeData.decomposition(scalar)
                if position > start && UnicodeData.combiningClass(decomposition[0]) == 0 { break }
                for part in decomposition { insert(part, into: &parts) }
            }
            position = next
        }
        for part in parts where !UnicodeData.isAccent(part.scalar) {
            for letter in rules.lowercased(part.scalar) { appendScalar(letter.value) }
        }
        return position
    }

    /// Puts a scalar behind all marks of its own or a lower class and behind the last starter.
    private func insert(_ scalar: Unicode.Scalar, into parts: inout [(scalar: Unicode.Scalar, order: UInt8)]) {
        let order = UnicodeData.combiningClass(scalar)
        var index = parts.count
        if order != 0 {
            while index > 0 && parts[index - 1].order > order { index -= 1 }
        }
        parts.insert((scalar, order), at: index)
    }
}
