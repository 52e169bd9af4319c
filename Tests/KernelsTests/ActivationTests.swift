import Foundation
import TestSupport
import Testing

@testable import Kernels

/// Row-wise kernels against values in double, at ordinary and extreme inputs.
struct ActivationTests {
    struct References: Decodable {
        struct Function: Decodable { let x, y, derivative: [Double] }
        struct Softmax: Decodable { let x, y, cotangent, dx: [Double] }
        struct LayerNorm: Decodable {
            let name: String
            let eps: Double
            let x, weight, bias, y, cotangent, dx: [Double]
        }
        let gelu, tanh: Function
        let softmax: [Softmax]
        let layer_norm: [LayerNorm]
    }

    private let references: References

    init() throws { references = try TestSupport.References.json("activations.json", as: References.self) }

    private func floats(_ values: [Double]) -> [Float] { values.map { Float($0) } }

    @Test func geluAndItsDerivative() {
        let cases = references.gelu
        let x = OwnedMatrix(floats(cases.x))
        let y = OwnedMatrix(rows: 1, columns: cases.x.count)
        biasGELU(
            x.matrix, bias: [Float](repeating: 0, count: cases.x.count), into: y.matrix, keepingDerivative: true)
        var largest = (value: 0.0, derivative: 0.0)
        for index in cases.x.indices {
            let value = Double(y.values[index])
            let derivative = Double(x.values[index])
            // Relative, also where the value is tiny; below float's smallest normal numbers, absolute.
            let valueError = abs(value - cases.y[index]) / (abs(cases.y[index]) + 1e-32)
            // The derivative crosses zero at -0.75: relative to 1 there.
            let derivativeError = abs(derivative - cases.derivative[index]) / max(1, abs(cases.derivative[index]))
            #expect(valueError < 1e-5, "x \(cases.x[index]): \(value), not \(cases.y[index])")
            #expect(derivativeError < 1e-6, "x \(cases.x[index]): \(derivative), not \(cases.derivative[index])")
            largest = (max(largest.value, valueError), max(largest.derivative, derivativeError))
        }
        print("GELU: largest errors \(largest)")
    }

    @Test func geluAddsItsBiasAndKeepsTheSumInEvaluation() {
        let x = OwnedMatrix([1, -2, 0.5])
        let y = OwnedMatrix(rows: 1, columns: 3)
        biasGELU(x.matrix, bias: [0.25, 1, -1], into: y.matrix, keepingDerivative: false)
        #expect(relativeError(y.values, [1.117_938, -0.158_655_25, -0.154_268_77]) < 1e-6)
    }

    @Test func hyperbolicTangentAndItsDerivative() {
        let cases = references.tanh
        let x = OwnedMatrix(floats(cases.x))
        biasTanh(x.matrix, bias: [Float](repeating: 0, count: cases.x.count))
        let gradient = OwnedMatrix([Float](repeating: 1, count: cases.x.count))
        tanhBackward(gradient.matrix, output: x.matrix)
        for index in cases.x.indices {
            #expect(abs(Double(x.values[index]) - cases.y[index]) <= 5e-7 * abs(cases.y[index]), "x \(cases.x[index])")
            #expect(abs(Double(gradient.values[index]) - cases.derivative[index]) < 4e-7, "x \(cases.x[index])")
        }
        let shifted = OwnedMatrix([0.5, -1])
        biasTanh(shifted.matrix, bias: [0.5, 0.25])
        #expect(relativeError(shifted.values, [0.761_594_2, -0.635_149]) < 1e-6)
    }

    @Test func softmaxAndItsBackward() {
        for known in references.softmax {
            for scale in [Float(1), 0.25] {
                let row = OwnedMatrix(floats(known.x).map { $0 / scale })
                guard row.values.allSatisfy(\.isFinite) else { continue }
                softmax(row.pointer, count: known.x.count, scale: scale)
                #expect(absoluteError(row.values, floats(known.y)) < 2e-7, "\(known.x)")
                let gradient = OwnedMatrix(floats(known.cotangent))
                softmaxBackward(gradient.pointer, probabilities: row.pointer, count: known.x.count, scale: scale)
                #expect(absoluteError(gradient.values, floats(known.dx).map { $0 * scale }) < 2e-7, "\(known.x)")
                #expect(row.marginIsUntouched && gradient.marginIsUntouched)
            }
        }
    }

    @Test func layerNormalizationAndItsBackward() {
        for known in references.layer_norm {
            let x = OwnedMatrix(floats(known.x))
            let y = OwnedMatrix(rows: 1, columns: 8)
            let gradient = OwnedMatrix(floats(known.cotangent))
            let dx = OwnedMatrix(rows: 1, columns: 8)
            var inverseDeviation: Float = 0
            residualLayerNormalization(
                x.matrix, bias: nil, residual: nil, dropout: nil, scale: floats(known.weight),
                shift: floats(known.bias),
                epsilon: Float(known.eps), into: y.matrix, inverseDeviations: &inverseDeviation)
            residualLayerNormalizationBackward(
                gradient.matrix, normalized: x.matrix, inverseDeviations: &inverseDeviation,
                scale: floats(known.weight),
                dropout: nil, dresidual: dx.matrix, dx: dx.matrix)
            // A mean of 1,000 is known to half a unit in the last place, 3e-5, beside a deviation of 1.7.
            let tolerance = known.name == "shifted" ? 3e-5 : 1e-6
            #expect(relativeError(y.values, floats(known.y)) < tolerance, "\(known.name)")
            #expect(relativeError(dx.values, floats(known.dx)) < tolerance, "\(known.name)")
        }
    }

    /// Tails of rows take another path than runs of eight.
    @Test(arguments: [1, 7, 8, 9, 31, 33])
    func everyColumnCountGivesTheSameElements(columns: Int) {
        var random = TestRandom(seed: UInt64(columns))
        let values = random.normals(3 * columns, deviation: 2)
        let bias = random.normals(columns)
        let x = OwnedMatrix(values, rows: 3, columns: columns)
        let y = OwnedMatrix(rows: 3, columns: columns)
        biasGELU(x.matrix, bias: bias, into: y.matrix, keepingDerivative: true)
        let hyperbolic = OwnedMatrix(values, rows: 3, columns: columns)
        biasTanh(hyperbolic.matrix, bias: bias)
        let sum = OwnedMatrix(values, rows: 3, columns: columns)
        addBias(sum.matrix, bias)
        let product = OwnedMatrix(values, rows: 3, columns: columns)
        multiplyElements(product.matrix, by: sum.matrix)
        for index in values.indices {
            let shifted = values[index] + bias[index % columns]
            let z = Double(shifted)
            let half = 0.5 * erfc(-z / 2.0.squareRoot())
            #expect(sum.values[index] == shifted)
            #expect(product.values[index] == values[index] * shifted)
            #expect(abs(Double(y.values[index]) - z * half) < 2e-6)
            let derivative = half + z * exp(-z * z / 2) * 0.398_942_280_401
            #expect(abs(Double(x.values[index]) - derivative) < 1e-6)
            #expect(abs(Double(hyperbolic.values[index]) - tanh(z)) < 3e-7)
        }
        for matrix in [x, y, hyperbolic, sum, product] { #expect(matrix.marginIsUntouched) }

        let probabilities = OwnedMatrix(Array(values.prefix(columns)))
        softmax(probabilities.pointer, count: columns)
        let largest = values.prefix(columns).reduce(-Float.infinity, max)
        let powers = values.prefix(columns).map { exp(Double($0) - Double(largest)) }
        let total = powers.reduce(0, +)
        #expect(relativeError(probabilities.values, powers.map { Float($0 / total) }) < 1e-6)
        #expect(probabilities.marginIsUntouched)
    }
}
