import Foundation
import TestSupport
import Testing

@testable import Kernels

/// LayerNorm of residual + dropout(x + b) at every tail length, against the formulas in double.
struct LayerNormalizationTests {
    @Test(arguments: [1, 7, 9, 31, 33], [false, true])
    func forwardAndBackwardAreTheFormulas(columns: Int, drops: Bool) throws {
        var random = TestRandom(seed: UInt64(columns))
        let rows = 3
        let values = random.normals(rows * columns)
        let residuals = random.normals(rows * columns)
        let bias = random.normals(columns)
        let scale = random.normals(columns, deviation: 0.3, mean: 1)
        let shift = random.normals(columns)
        let cotangent = random.normals(rows * columns)
        let identities = (0..<rows).map { RowIdentity(example: UInt32($0), row: 4) }
        let dropout = Dropout(probability: drops ? 0.3 : 0, site: 9)
        let step = RandomStep(seed: 4, step: 2)

        let x = OwnedMatrix(values, rows: rows, columns: columns)
        let residual = OwnedMatrix(residuals, rows: rows, columns: columns)
        let y = OwnedMatrix(rows: rows, columns: columns)
        let dy = OwnedMatrix(cotangent, rows: rows, columns: columns)
        let dresidual = OwnedMatrix(rows: rows, columns: columns)
        let dx = OwnedMatrix(rows: rows, columns: columns)
        var deviations = [Float](repeating: 0, count: rows)
        identities.withUnsafeBufferPointer { list in
            let drop = RowDropout(dropout, identities: list.baseAddress!, random: step)
            residualLayerNormalization(
                x.matrix, bias: bias, residual: residual.matrix, dropout: drop, scale: scale, shift: shift,
                epsilon: 1e-5,
                into: y.matrix, inverseDeviations: &deviations)
            residualLayerNormalizationBackward(
                dy.matrix, normalized: x.matrix, inverseDeviations: deviations, scale: scale, dropout: drop,
                dresidual: dresidual.matrix, dx: dx.matrix)
        }
        for matrix in [x, residual, y, dy, dresidual, dx] { #expect(matrix.marginIsUntouched) }

        for row in 0..<rows {
            var factors = [Float](repeating: 1, count: columns)
            dropout.writeFactors(to: &factors, columns: columns, row: identities[row], random: step)
            let range = (row * columns)..<((row + 1) * columns)
            let expected = Formula(
                sums: range.map { index in
                    let kept = Double(values[index] + bias[index % columns]) * Double(factors[index % columns])
                    return Double(residuals[index]) + kept
                }, scale: scale.map(Double.init), shift: shift.map(Double.init),
                cotangent: range.map { Double(cotangent[$0]) })
            // With one column everything cancels; what is left is compared with the size of what was subtracted.
            let tolerance = columns == 1 ? 1e-5 * max(1, expected.inverse) : 1e-5
            #expect(absoluteError(Array(y.values[range]), expected.y) < 1e-5)
            #expect(absoluteError(Array(dresidual.values[range]), expected.dsum) < tolerance)
            let expectedInput = zip(expected.dsum, factors).map { $0 * $1 }
            #expect(absoluteError(Array(dx.values[range]), expectedInput) < tolerance)
        }
    }

    /// LayerNorm of one row, written out.
    private struct Formula {
        var inverse = 0.0
        var y: [Float] = []
        var dsum: [Float] = []

        init(sums: [Double], scale: [Double], shift: [Double], cotangent: [Double]) {
            let count = Double(sums.count)
            let mean = sums.reduce(0, +) / count
            let centred = sums.map { $0 - mean }
            let variance = centred.map { $0 * $0 }.reduce(0, +) / count
            inverse = 1 / (variance + 1e-5).squareRoot()
            let hat = centred.map { $0 * inverse }
            let scaled = zip(cotangent, scale).map { $0 * $1 }
            let scaledMean = scaled.reduce(0, +) / count
            let correlation = zip(scaled, hat).map { $0 * $1 }.reduce(0, +) / count
            for column in sums.indices {
                y.append(Float(hat[column] * scale[column] + shift[column]))
                let gradient: Double = scaled[column] - scaledMean - hat[column] * correlation
                dsum.append(Float(gradient * inverse))
            }
        }
    }
}
