import Kernels

/// How many batches of an epoch each task has. Every task has one at least.
public enum TaskMixture: Equatable, Sendable {
    /// As many as its examples fill, times its weight (Algorithm 1 of the paper).
    case proportional
    /// As many as every other.
    case uniform
    /// In proportion to min(n, cap)^(1/T), n being its examples: 1 is proportional, large T uniform.
    case temperature(Double, cap: Int?)
    /// In proportion to n^a, where a falls from 1 in the first epoch to 0.2 in the last (Stickland and Murray 2019).
    case annealed
    /// All of one task, and `ratio` times as many of all others together, or as many as they have (mt-dnn's `ratio`; all of them where nil).
    case main(task: Int, ratio: Double?)

    /// The batches of each task in each epoch; a last epoch stands for all that follow. All epochs have equally many.
    func batchCounts(_ tasks: [Sampler.Task], epochCount: Int) -> [[Int]] {
        let whole = tasks.map { max(1, Int((Double($0.batchesPerPass) * $0.weight).rounded())) }
        let total = whole.reduce(0, +)
        func inProportion(to share: (Double) -> Double) -> [Int] {
            divide(total, in: tasks.map { share(Double($0.exampleCount)) * $0.weight })
        }
        switch self {
        case .proportional: return [whole]
        case .uniform: return [inProportion { _ in 1 }]
        case .temperature(let temperature, let cap):
            let largest = cap.map(Double.init) ?? .infinity
            return [inProportion { raised(min($0, largest), to: 1 / temperature) }]
        case .annealed:
            return (0..<epochCount).map { epoch in
                let exponent = epochCount == 1 ? 1 : 1 - 0.8 * Double(epoch) / Double(epochCount - 1)
                return inProportion { raised($0, to: exponent) }
            }
        case .main(let main, let ratio):
            // Without others there is nothing to choose from.
            guard let ratio, whole.count > 1 else { return [whole] }
            var others = whole
            others[main] = 0
            let sum = others.reduce(0, +)
            let wanted = min(sum, Int((Double(whole[main]) * ratio).rounded()))
            var counts = divide(wanted, in: others.map(Double.init), least: others.map { $0 > 0 ? 1 : 0 })
            counts[main] = whole[main]
            return [counts]
        }
    }
}

/// x to a power that need not be whole, in bits that do not depend on a library.
private func raised(_ x: Double, to exponent: Double) -> Double { exponential(exponent * logarithm(x)) }

/// Divides a number of batches in proportion to shares: each gets the whole part, and the largest remainders one more, of equal ones the first. None
/// gets less than its least.
private func divide(_ count: Int, in shares: [Double], least: [Int]? = nil) -> [Int] {
    let least = least ?? shares.map { _ in 1 }
    let sum = shares.reduce(0, +)
    let exact = shares.map { Double(count) * $0 / sum }
    var counts = zip(exact, least).map { max($1, Int($0)) }
    let order = shares.indices.sorted { a, b in
        let (first, second) = (exact[a] - exact[a].rounded(.down), exact[b] - exact[b].rounded(.down))
        return (second, a) < (first, b)
    }
    var rest = count - counts.reduce(0, +)
    for index in order where rest > 0 && least[index] > 0 {
        counts[index] += 1
        rest -= 1
    }
    // What the small ones got beyond their share comes from the largest.
    while rest < 0, let largest = counts.indices.max(by: { (counts[$0], $1) < (counts[$1], $0) }),
        counts[largest] > max(1, least[largest])
    {
        counts[largest] -= 1
        rest += 1
    }
    return counts
}
