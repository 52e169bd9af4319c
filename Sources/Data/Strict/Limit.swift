/// The numbers that a key takes; its text completes "must be ...".
public enum Limit<Number: Comparable & Sendable>: Sendable, CustomStringConvertible {
    /// Any number.
    case none
    /// The bound itself and everything above.
    case atLeast(Number)
    /// Everything above the bound.
    case above(Number)
    /// Both bounds and everything between.
    case between(Number, Number)
    /// The first bound and everything up to, but not, the second: a probability that must not be 1.
    case from(Number, below: Number)

    /// Whether `number` may be used.
    public func contains(_ number: Number) -> Bool {
        switch self {
        case .none: true
        case .atLeast(let bound): number >= bound
        case .above(let bound): number > bound
        case .between(let lowest, let highest): lowest <= number && number <= highest
        case .from(let lowest, let end): lowest <= number && number < end
        }
    }

    /// The rule in words.
    public var description: String {
        switch self {
        case .none: "any number"
        case .atLeast(let bound): "at least \(bound)"
        case .above(let bound): "above \(bound)"
        case .between(let lowest, let highest): "from \(lowest) to \(highest)"
        case .from(let lowest, let end): "at least \(lowest) and below \(end)"
        }
    }
}
