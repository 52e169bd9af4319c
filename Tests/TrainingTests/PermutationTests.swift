import Testing

@testable import Training

struct PermutationTests {
    private func order(_ count: Int, seed: UInt64 = 5, stream: (UInt32, UInt32) = (1, 0)) -> [Int] {
        let permutation = Permutation(count: count, seed: seed, stream: stream)
        return (0..<count).map { permutation[$0] }
    }

    @Test func `Every number comes once, for every count`() {
        let powers = (8...17).flatMap { [1 << $0 - 1, 1 << $0, 1 << $0 + 1] }
        for count in Array(1...300) + powers + [100_000] {
            #expect(order(count).sorted() == Array(0..<count), "\(count)")
        }
    }

    @Test func `Seeds and both numbers of a stream each give another order`() {
        let orders = [
            order(100), order(100, seed: 6), order(100, seed: 5 + 1 << 32), order(100, stream: (2, 0)),
            order(100, stream: (1, 1)), order(100, stream: (0, 1)),
        ]
        #expect(Set(orders).count == orders.count)
        #expect(orders[0] != Array(0..<100))
        #expect(order(100) == orders[0])
    }

    /// Where a number lands, over many streams: 12 · 12 cells, so 121 degrees of freedom; beyond 200 in 1 of 100,000 tests.
    @Test func `Every number is as likely at every place`() {
        let count = 12
        let streams = 6000
        var counts = [Double](repeating: 0, count: count * count)
        for stream in 0..<streams {
            for (place, value) in order(count, stream: (1, UInt32(stream))).enumerated() {
                counts[place * count + value] += 1
            }
        }
        #expect(chiSquare(counts, expected: Double(streams) / Double(count)) < 200)
    }

    /// Whole orders of few numbers, where a Feistel network has the least room: n! - 1 degrees of freedom.
    @Test(arguments: [(2, 20.0), (3, 30), (4, 60), (5, 200)])
    func `Every order of few numbers is as likely`(count: Int, bound: Double) {
        let streams = 24_000
        var counts: [[Int]: Double] = [:]
        for stream in 0..<streams { counts[order(count, stream: (1, UInt32(stream))), default: 0] += 1 }
        let orders = (1...count).reduce(1, *)
        #expect(counts.count == orders)
        #expect(chiSquare(Array(counts.values), expected: Double(streams) / Double(orders)) < bound)
    }

    /// In a random order of n numbers one pair of neighbours on average is (v, v + 1).
    @Test func `Neighbours are not kept together`() {
        var kept = 0
        for stream in 0..<200 {
            let order = order(1000, stream: (1, UInt32(stream)))
            kept += (1..<1000).count { order[$0] == order[$0 - 1] + 1 }
        }
        // Poisson with mean 200: five deviations.
        #expect((130...270).contains(kept))
    }

    private func chiSquare(_ counts: [Double], expected: Double) -> Double {
        counts.reduce(0) { $0 + ($1 - expected) * ($1 - expected) / expected }
    }
}
