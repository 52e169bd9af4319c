import Foundation
import Kernels
import Model

/// First values of parameters that no file gives: a pure function of the seed and the parameter's name.
struct Initialization {
    let seed: UInt64
    /// Standard deviation of weights.
    let deviation: Double

    /// Weights from N(0, deviation²) as BERT's, scales of LayerNorm 1, biases 0; gated recurrent units uniform in ±1/√hidden as torch's.
    func initialize(_ parameter: Parameter) {
        let values = parameter.value
        if parameter.name.hasSuffix("LayerNorm.weight") {
            values.fill(1)
        } else if parameter.name.contains(".recurrent.") {
            let bound = 1 / Float(parameter.shape.count == 1 ? parameter.columns / 3 : parameter.columns).squareRoot()
            fill(parameter) { 2 * bound * (Float($0) - 0.5) }
        } else if parameter.shape.count == 1 {
            values.fill(0)
        } else {
            fillNormally(parameter)
        }
    }

    private func fill(_ parameter: Parameter, _ transform: (Double) -> Float) {
        let numbers = UniformNumbers(seed: seed, name: parameter.name)
        for first in stride(from: 0, to: parameter.count, by: 4) {
            let four = numbers.four(from: first)
            for lane in 0..<min(4, parameter.count - first) {
                parameter.pointer[first + lane] = transform(four[lane])
            }
        }
    }

    /// Box and Muller's transform of two uniform numbers.
    private func fillNormally(_ parameter: Parameter) {
        let numbers = UniformNumbers(seed: seed, name: parameter.name)
        func normal(_ first: Double, _ second: Double) -> Float {
            Float(deviation * (-2 * logarithm(1 - first)).squareRoot() * cosine(turns: second))
        }
        for index in stride(from: 0, to: parameter.count, by: 2) {
            let four = numbers.four(from: 2 * index)
            parameter.pointer[index] = normal(four[0], four[1])
            if index + 1 < parameter.count { parameter.pointer[index + 1] = normal(four[2], four[3]) }
        }
    }
}

/// Numbers in 0 ..< 1, one for each index of the parameter called `name`.
private struct UniformNumbers {
    private let key: SIMD2<UInt32>
    private let name: UInt64

    init(seed: UInt64, name: String) {
        key = SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
        // FNV-1a: names keep their numbers whatever other tasks a run has.
        self.name = UInt64(name.utf8.reduce(UInt32(2_166_136_261)) { ($0 ^ UInt32($1)) &* 16_777_619 })
    }

    /// Those at `first`, a multiple of four, and the next three.
    func four(from first: Int) -> SIMD4<Double> {
        let index = UInt64(first)
        let words = Philox.blocks(
            (
                SIMD4(repeating: index & 0xFFFF_FFFF) | SIMD4(0, 1, 2, 3), SIMD4(repeating: index >> 32),
                SIMD4(repeating: name), SIMD4(repeating: 0xFFFF_FE00)
            ), key: key)
        return (SIMD4<Double>(words.0) * 0x1p21 + SIMD4<Double>(words.1 &>> 11)) * 0x1p-53
    }
}
