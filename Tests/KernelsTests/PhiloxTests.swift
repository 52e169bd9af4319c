import TestSupport
import Testing

@testable import Kernels

struct PhiloxTests {
    private struct Case: Decodable {
        let counter: [UInt32]
        let key: [UInt32]
        let output: [UInt32]
    }

    @Test func givesTheKnownAnswers() throws {
        let cases = try References.json("philox.json", as: [Case].self)
        #expect(cases.count > 10)
        for known in cases {
            let block = Philox.block(
                counter: SIMD4(known.counter[0], known.counter[1], known.counter[2], known.counter[3]),
                key: SIMD2(known.key[0], known.key[1]))
            #expect([block.x, block.y, block.z, block.w] == known.output)
        }
    }

    @Test func drawsUniformlyBelowACount() {
        let random = RandomStep(seed: 11, step: 3)
        var counts = [Int](repeating: 0, count: 5)
        for example in 0..<10_000 {
            counts[random.uniform(below: 5, site: 4, row: RowIdentity(example: UInt32(example), row: 0))] += 1
        }
        // 2,000 each with a deviation of 40.
        for count in counts { #expect(abs(count - 2_000) < 200) }
    }
}
