/// Steele, Lea and Flood's SplitMix64: the same numbers from the same seed on every machine and in every release.
///
/// The standard library's `shuffle(using:)` and `random(in:using:)` promise no such thing, so this type has its own.
struct SplitMix64 {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    /// The next 64 random bits.
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var bits = state
        bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
        return bits ^ (bits >> 31)
    }

    /// A number in `0..<bound`: the high half of the product, whose bias of `bound / 2⁶⁴` nobody can see here.
    mutating func next(below bound: Int) -> Int {
        precondition(bound > 0, "nothing to choose from")
        return Int(next().multipliedFullWidth(by: UInt64(bound)).high)
    }

    /// True with the given probability.
    mutating func chance(_ probability: Double) -> Bool {
        Double(next() >> 11) * 0x1p-53 < probability
    }

    /// One element, each as likely as any other.
    mutating func pick<Element>(from elements: [Element]) -> Element {
        elements[next(below: elements.count)]
    }

    /// The elements in random order (Fisher and Yates).
    mutating func shuffled<Element>(_ elements: [Element]) -> [Element] {
        var elements = elements
        for last in stride(from: elements.count - 1, to: 0, by: -1) {
            elements.swapAt(last, next(below: last + 1))
        }
        return elements
    }
}
