import Foundation
import TestSupport
import Testing

@testable import Kernels

/// The kernels of the answer network against their formulas in double; backward against derivatives of those by differences.
struct AnswerKernelTests {
    /// Central difference of a smooth function; its error is near 1e-9.
    private func derivative(_ function: (Double) -> Double) -> Double { (function(1e-5) - function(-1e-5)) / 2e-5 }

    private func unit(_ i: [Double], _ u: [Double], _ h: Double) -> Double {
        let r = 1 / (1 + exp(-i[0] - u[0]))
        let z = 1 / (1 + exp(-i[1] - u[1]))
        let n = tanh(i[2] + r * u[2])
        return (1 - z) * n + z * h
    }

    @Test(arguments: [1, 7, 9, 31, 33])
    func gatedRecurrentUnitAndItsBackward(columns: Int) {
        var random = TestRandom(seed: UInt64(columns))
        let rows = 2
        let input = random.normals(rows * 3 * columns, deviation: 2)
        let recurrent = random.normals(rows * 3 * columns, deviation: 2)
        let state = random.normals(rows * columns)
        let cotangent = random.normals(rows * columns)
        let gates = OwnedMatrix(input, rows: rows, columns: 3 * columns)
        let fromHidden = OwnedMatrix(recurrent, rows: rows, columns: 3 * columns)
        let hidden = OwnedMatrix(state, rows: rows, columns: columns)
        let output = OwnedMatrix(rows: rows, columns: columns)
        let dhidden = OwnedMatrix(rows: rows, columns: columns)
        gatedRecurrentUnit(
            fromInput: gates.matrix, fromHidden: fromHidden.matrix, hidden: hidden.matrix, into: output.matrix)
        gatedRecurrentUnitBackward(
            OwnedMatrix(cotangent, rows: rows, columns: columns).matrix, gates: gates.matrix,
            fromHidden: fromHidden.matrix, hidden: hidden.matrix, dhidden: dhidden.matrix)
        for matrix in [gates, fromHidden, hidden, output, dhidden] { #expect(matrix.marginIsUntouched) }
        for index in 0..<(rows * columns) {
            let (row, column) = (index / columns, index % columns)
            let places = (0..<3).map { row * 3 * columns + $0 * columns + column }
            let i = places.map { Double(input[$0]) }
            let u = places.map { Double(recurrent[$0]) }
            let h = Double(state[index])
            let d = Double(cotangent[index])
            #expect(abs(Double(output.values[index]) - unit(i, u, h)) < 1e-6)
            #expect(abs(Double(dhidden.values[index]) - d * derivative { unit(i, u, h + $0) }) < 2e-6)
            for part in 0..<3 {
                func moved(_ list: [Double], by step: Double) -> [Double] {
                    list.indices.map { $0 == part ? list[$0] + step : list[$0] }
                }
                let di = d * derivative { unit(moved(i, by: $0), u, h) }
                let du = d * derivative { unit(i, moved(u, by: $0), h) }
                #expect(abs(Double(gates.values[places[part]]) - di) < 2e-6)
                #expect(abs(Double(fromHidden.values[places[part]]) - du) < 2e-6)
            }
        }
    }

    @Test(arguments: [1, 7, 9, 31, 33])
    func compareAndItsBackward(columns: Int) {
        var random = TestRandom(seed: UInt64(columns))
        let x = random.normals(columns)
        var s = random.normals(columns)
        s[0] = x[0]  // where the two are equal, the magnitude has no derivative
        let factors = random.normals(4 * columns)
        let cotangent = random.normals(4 * columns)
        let features = OwnedMatrix(rows: 1, columns: 4 * columns)
        compare(x, s, factors: factors, into: features.pointer, columns: columns)
        let dx = OwnedMatrix(rows: 1, columns: columns)
        let ds = OwnedMatrix([Float](repeating: 2, count: columns))
        compareBackward(cotangent, x: x, s: s, factors: factors, dx: dx.pointer, ds: ds.pointer, columns: columns)
        #expect(features.marginIsUntouched && dx.marginIsUntouched && ds.marginIsUntouched)
        for column in 0..<columns {
            let (a, b) = (x[column], s[column])
            let f = (0..<4).map { factors[$0 * columns + column] }
            let found = (0..<4).map { features.values[$0 * columns + column] }
            let expected: [Float] = [f[0] * a, f[1] * b, f[2] * abs(a - b), f[3] * a * b]
            #expect(relativeError(found, expected) < 1e-6)
            let d = (0..<4).map { cotangent[$0 * columns + column] * f[$0] }
            let sign: Float = a > b ? 1 : a < b ? -1 : 0
            let expectedX: Float = d[0] + sign * d[2] + b * d[3]
            let expectedS: Float = 2 + d[1] - sign * d[2] + a * d[3]
            #expect(abs(dx.values[column] - expectedX) < 2e-6)
            #expect(abs(ds.values[column] - expectedS) < 2e-6)
        }
    }

    @Test(arguments: [1, 7, 9, 31, 33])
    func sumsAndProducts(columns: Int) {
        var random = TestRandom(seed: UInt64(columns))
        let a = random.normals(columns)
        let b = random.normals(columns)
        let rows = OwnedMatrix(a + b, rows: 2, columns: columns)
        func row(_ body: (UnsafeMutablePointer<Float>) -> Void) -> [Float] {
            let row = OwnedMatrix(a)
            body(row.pointer)
            #expect(row.marginIsUntouched)
            return row.values
        }
        func check(_ found: [Float], _ formula: (Float, Float) -> Float) {
            #expect(relativeError(found, zip(a, b).map(formula)) < 1e-6)
        }
        check(row { weightedSum(of: rows.matrix, weights: [3, -2], into: $0) }) { 3 * $0 - 2 * $1 }
        check(row { addScaled(b, 1.5, to: $0, count: columns) }) { $0 + 1.5 * $1 }
        check(row { elementwiseProduct(a, b, into: $0, count: columns) }) { $0 * $1 }
        check(row { addProduct(a, b, to: $0, count: columns) }) { $0 + $0 * $1 }
        check(row { addVector(b, to: $0, count: columns) }) { $0 + $1 }
        let product = zip(a, b).map { Double($0) * Double($1) }.reduce(0, +)
        #expect(abs(Double(dotProduct(a, b, count: columns)) - product) < 1e-5)
        let squares = a.map { Double($0) * Double($0) }.reduce(0, +)
        #expect(abs(sumOfSquares(a, count: columns) - squares) < 1e-12 * squares)
    }
}
