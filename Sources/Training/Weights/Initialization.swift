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
        for index in 0..<parameter.count { parameter.pointer[index] = transform(uniform(parameter, index)) }
    }

    /// Box and Muller's transform of two uniform numbers.
    private func fillNormally(_ parameter: Parameter) {
        for index in 0..<parameter.count {
            let radius = (-2 * logarithm(1 - uniform(parameter, 2 * index))).squareRoot()
            let turns = uniform(parameter, 2 * index + 1)
            parameter.pointer[index] = Float(deviation * radius * cosine(turns: turns))
        }
    }

    /// A number in 0 ..< 1 for an index of a parameter.
    private func uniform(_ parameter: Parameter, _ index: Int) -> Double {
        let counter = SIMD4(
            UInt32(truncatingIfNeeded: index), UInt32(truncatingIfNeeded: index >> 32), hash(parameter.name),
            0xFFFF_FE00)
        let key = SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
        let block = Philox.block(counter: counter, key: key)
        return (Double(block.x) * 0x1p21 + Double(block.y >> 11)) * 0x1p-53
    }

    /// FNV-1a: names keep their numbers whatever other tasks a run has.
    private func hash(_ name: String) -> UInt32 {
        name.utf8.reduce(2_166_136_261) { ($0 ^ UInt32($1)) &* 16_777_619 }
    }
}
