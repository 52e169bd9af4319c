import Kernels
import TestSupport

@testable import Model

/// The derivative of a batch's loss along directions in a parameter, found from values of the loss alone.
///
/// The loss is computed in Float, so a single difference cannot see a relative error of 10⁻³: small steps drown in rounding, large
/// ones bend. Instead central differences D(h) = (L(h) - L(-h)) / 2 at many steps up to a large one are fitted by a·h + b·h³ + c·h⁵
/// (Richardson's extrapolation by least squares): rounding averages out, bending goes into b and c, and a is the derivative.
struct DirectionalDerivative {
    private static let stepCount = 12
    /// How much the largest step may change the loss, to be tried in this order. The answer network's |x - s| has a kink in
    /// every element, and a step across one spoils the fit; where that happens, shorter ones see fewer. A wrong gradient is wrong at all.
    static let changes = [0.03, 0.003, 0.001, 0.0003]
    let model: MultiTaskModel
    let batch: PackedBatch
    let head: Int

    /// Σ over units of loss · weight; leaves the gradient in the model.
    func loss() -> Double {
        _ = model.forward(batch, head: head)
        model.backward(batch, head: head)
        return (0..<batch.unitCount).reduce(0) { $0 + batch.losses[$1] } * Double(batch.unitWeight)
    }

    /// The derivative along `direction`, from steps up to `largest`.
    func along(_ direction: [Double], of parameter: Parameter, largest: Double) -> Double {
        let values = parameter.value.values
        defer { parameter.value.assign(values) }
        func moved(_ step: Double) -> (loss: Double, step: Double) {
            let target = zip(values, direction).map { Float(Double($0) + step * $1) }
            parameter.value.assign(target)
            // The step that rounding to Float left, measured along the direction.
            var (made, length) = (0.0, 0.0)
            for index in values.indices {
                made += (Double(target[index]) - Double(values[index])) * direction[index]
                length += direction[index] * direction[index]
            }
            return (loss(), made / length)
        }
        // Normal equations of the fit in x = h / largest, with D in place of the right-hand side.
        var matrix = [[Double]](repeating: [0, 0, 0, 0], count: 3)
        for index in 1...DirectionalDerivative.stepCount {
            let h = largest * Double(index) / Double(DirectionalDerivative.stepCount)
            let (up, down) = (moved(h), moved(-h))
            let x = (up.step - down.step) / 2 / largest
            let powers = [x, x * x * x, x * x * x * x * x]
            for row in 0..<3 {
                for column in 0..<3 { matrix[row][column] += powers[row] * powers[column] }
                matrix[row][3] += powers[row] * (up.loss - down.loss) / 2
            }
        }
        return DirectionalDerivative.solve(matrix)[0] / largest
    }

    /// Gauss's elimination; the matrix of normal equations needs no pivots.
    private static func solve(_ system: [[Double]]) -> [Double] {
        var rows = system
        for pivot in rows.indices {
            for row in rows.indices where row != pivot {
                let factor = rows[row][pivot] / rows[pivot][pivot]
                for column in rows[row].indices { rows[row][column] -= factor * rows[pivot][column] }
            }
        }
        return rows.indices.map { rows[$0][rows.count] / rows[$0][$0] }
    }
}
