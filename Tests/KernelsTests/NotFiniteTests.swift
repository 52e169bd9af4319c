import Testing

@testable import Kernels

/// A NaN or an infinity that enters a kernel must be seen at its end, or divergence would go unnoticed.
struct NotFiniteTests {
    static let places = [(1, 0), (7, 3), (9, 0), (9, 8), (31, 30), (33, 32), (33, 5)]

    @Test(arguments: places, [Float.nan, .infinity])
    func softmaxOfAnythingNotFiniteIsNaN(place: (columns: Int, index: Int), value: Float) {
        let row = OwnedMatrix([Float](repeating: 0.5, count: place.columns))
        row.pointer[place.index] = value
        softmax(row.pointer, count: place.columns)
        #expect(row.values.allSatisfy { $0.isNaN })
        let gradient = OwnedMatrix([Float](repeating: 0.5, count: place.columns))
        gradient.pointer[place.index] = value
        let probabilities = [Float](repeating: 1 / Float(place.columns), count: place.columns)
        softmaxBackward(gradient.pointer, probabilities: probabilities, count: place.columns)
        #expect(gradient.values.allSatisfy { !$0.isFinite })
    }

    @Test func softmaxOfMinusInfinityIsZeroBesideOthersAndNaNAlone() {
        let row = OwnedMatrix([0, -.infinity, 0])
        softmax(row.pointer, count: 3)
        #expect(row.values[0] == 0.5 && row.values[1] < 1e-37 && row.values[2] == 0.5)
        let alone = OwnedMatrix([-.infinity, -.infinity])
        softmax(alone.pointer, count: 2)
        #expect(alone.values.allSatisfy { $0.isNaN })
    }

    @Test(arguments: places, [Float.nan, .infinity, -.infinity])
    func layerNormalizationOfAnythingNotFiniteIsNaNInThatRowOnly(place: (columns: Int, index: Int), value: Float) {
        let columns = place.columns
        let x = OwnedMatrix((0..<(2 * columns)).map { Float($0 % 5) }, rows: 2, columns: columns)
        x.pointer[place.index] = value
        let y = OwnedMatrix(rows: 2, columns: columns)
        let ones = [Float](repeating: 1, count: columns)
        var deviations = [Float](repeating: 0, count: 2)
        residualLayerNormalization(
            x.matrix, bias: nil, residual: nil, dropout: nil, scale: ones, shift: ones, epsilon: 1e-12, into: y.matrix,
            inverseDeviations: &deviations)
        #expect(y.values.prefix(columns).allSatisfy { $0.isNaN })
        #expect(y.values.suffix(columns).allSatisfy { $0.isFinite })
        let dy = OwnedMatrix((0..<(2 * columns)).map { Float($0 % 3) }, rows: 2, columns: columns)
        let dx = OwnedMatrix(rows: 2, columns: columns)
        residualLayerNormalizationBackward(
            dy.matrix, normalized: x.matrix, inverseDeviations: deviations, scale: ones, dropout: nil,
            dresidual: dx.matrix, dx: dx.matrix)
        #expect(dx.values.prefix(columns).allSatisfy { $0.isNaN })
        #expect(dx.values.suffix(columns).allSatisfy { $0.isFinite })
    }

    @Test(arguments: places)
    func elementwiseFunctionsKeepNaNInItsPlace(place: (columns: Int, index: Int)) {
        let columns = place.columns
        let zeros = [Float](repeating: 0, count: columns)
        let x = OwnedMatrix([Float](repeating: 1, count: columns))
        x.pointer[place.index] = .nan
        let y = OwnedMatrix(rows: 1, columns: columns)
        let hyperbolic = OwnedMatrix(x.values)
        biasGELU(x.matrix, bias: zeros, into: y.matrix, keepingDerivative: true)
        biasTanh(hyperbolic.matrix, bias: zeros)
        for values in [x.values, y.values, hyperbolic.values] {
            #expect(values.indices.allSatisfy { values[$0].isNaN == ($0 == place.index) })
        }
    }

    @Test func limitsOfElementwiseFunctions() {
        let zeros = [Float](repeating: 0, count: 2)
        let x = OwnedMatrix([.infinity, -.infinity])
        let y = OwnedMatrix(rows: 1, columns: 2)
        let hyperbolic = OwnedMatrix(x.values)
        biasGELU(x.matrix, bias: zeros, into: y.matrix, keepingDerivative: true)
        biasTanh(hyperbolic.matrix, bias: zeros)
        #expect(y.values[0] == .infinity)
        #expect(y.values[1].isNaN)  // -inf · 0, as torch's
        #expect(x.values[0] == 1)
        #expect(abs(x.values[1]) < 1e-30)
        #expect(hyperbolic.values == [1, -1])
    }

    @Test(arguments: 0..<9)
    func gatedRecurrentUnitKeepsNaN(index: Int) {
        for part in 0..<4 {
            let input = OwnedMatrix([Float](repeating: 0.5, count: 27))
            let fromHidden = OwnedMatrix([Float](repeating: 0.25, count: 27))
            let hidden = OwnedMatrix([Float](repeating: -1, count: 9))
            if part < 3 { input.pointer[part * 9 + index] = .nan } else { hidden.pointer[index] = .nan }
            let output = OwnedMatrix(rows: 1, columns: 9)
            gatedRecurrentUnit(
                fromInput: input.matrix, fromHidden: fromHidden.matrix, hidden: hidden.matrix, into: output.matrix)
            let values = output.values
            #expect(values.indices.allSatisfy { values[$0].isNaN == ($0 == index) })
        }
    }
}
