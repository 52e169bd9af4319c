import TestSupport
import Testing

@testable import Kernels

/// Random noise, and the step that brings it to a size.
struct NoiseTests {
    private func normals(_ count: Int, step: Int = 3, row: UInt32 = 5, deviation: Float = 2) -> [Float] {
        var values = [Float](repeating: .nan, count: count)
        values.withUnsafeMutableBufferPointer {
            RandomStep(seed: 9, step: step).writeNormals(
                to: $0.baseAddress!, count: count, deviation: deviation, site: 15,
                row: RowIdentity(example: 7, row: row))
        }
        return values
    }

    @Test func `Numbers are normal, and a function of their place`() {
        let values = normals(60_001).map(Double.init)
        let count = Double(values.count)
        let mean = values.reduce(0, +) / count
        let moments = [2, 3, 4].map { power in
            values.reduce(0) { sum, value in sum + (0..<power).reduce(1.0) { product, _ in product * value / 2 } }
                / count
        }
        #expect(abs(mean) < 0.03 && abs(moments[0] - 1) < 0.03 && abs(moments[1]) < 0.06 && abs(moments[2] - 3) < 0.15)
        #expect(values.count { abs($0) > 2 * 1.959964 } > 2700 && values.count { abs($0) > 2 * 1.959964 } < 3300)
        #expect(normals(7) == Array(normals(60)[..<7]))
        #expect(normals(60) != normals(60, step: 4) && normals(60) != normals(60, row: 6))
        #expect(Set(normals(60)).count == 60)
    }

    @Test(arguments: [3, 8, 21])
    func `A step brings a row to its size`(count: Int) {
        var random = TestRandom(seed: 1)
        let noise = random.normals(count), gradient = random.normals(count)
        let moved = zip(noise, gradient).map { Double($0) + 0.5 * Double($1) }
        for norm in NoiseNorm.allCases {
            var found = noise
            found.withUnsafeMutableBufferPointer {
                climb(
                    $0.baseAddress!, along: gradient, count: count, step: 0.5, norm: norm, radius: 3, epsilon: 0.25)
            }
            let expected: [Double] =
                switch norm {
                case .largest: moved.map { 3 * $0 / (moved.map(abs).max()! + 0.25) }
                case .euclidean: moved.map { 3 * $0 / (moved.reduce(0) { $0 + $1 * $1 }.squareRoot() + 0.25) }
                case .signs: moved.map { $0 < 0 ? -3 : 3 }
                }
            #expect(relativeError(found, expected.map { Float($0) }) < 1e-6, "\(norm)")
        }
    }
}
