/// Rows of few numbers in many columns.
struct SparseRows {
    let columnCount: Int
    /// Where each row begins in `columns` and `values`; one more than there are rows.
    private(set) var starts = [0]
    private(set) var columns: [Int] = []
    private(set) var values: [Double] = []

    init(columnCount: Int) { self.columnCount = columnCount }

    var count: Int { starts.count - 1 }

    /// Adds a row, its columns in ascending order so that sums are the same on every run.
    mutating func append(_ row: [Int: Double]) {
        for (column, value) in row.sorted(by: { $0.key < $1.key }) {
            columns.append(column)
            values.append(value)
        }
        starts.append(columns.count)
    }

    /// X·W: [rows, outputs] from [columns, outputs].
    func multiply(_ weights: [Double], outputCount: Int) -> [Double] {
        var outputs = [Double](repeating: 0, count: count * outputCount)
        for row in 0..<count {
            for entry in starts[row]..<starts[row + 1] {
                for output in 0..<outputCount {
                    outputs[row * outputCount + output] +=
                        values[entry] * weights[columns[entry] * outputCount + output]
                }
            }
        }
        return outputs
    }

    /// Xᵀ·R: [columns, outputs] from [rows, outputs].
    func multiplyTransposed(_ residuals: [Double], outputCount: Int) -> [Double] {
        var sums = [Double](repeating: 0, count: columnCount * outputCount)
        for row in 0..<count {
            for entry in starts[row]..<starts[row + 1] {
                for output in 0..<outputCount {
                    sums[columns[entry] * outputCount + output] += values[entry] * residuals[row * outputCount + output]
                }
            }
        }
        return sums
    }

    /// The largest squared length of a row.
    var largestSquare: Double {
        (0..<count).reduce(0) { largest, row in
            max(largest, values[starts[row]..<starts[row + 1]].reduce(0) { $0 + $1 * $1 })
        }
    }
}

/// A linear model fitted by accelerated gradient descent (Nesterov) over all rows at once: no choices, no chance.
struct LinearFit {
    private let outputCount: Int
    private var weights: [Double]

    /// Fits weights to a convex loss whose derivative by the outputs is `residuals`, put in place of the outputs.
    ///
    /// The loss is a mean of terms that curve by 1 at most along a row's outputs. The largest squared length of a row
    /// therefore bounds the loss's curvature, and one over it is a step that needs no tuning.
    init(rows: SparseRows, outputCount: Int, stepCount: Int = 300, residuals: (inout [Double]) -> Void) {
        self.outputCount = outputCount
        weights = [Double](repeating: 0, count: rows.columnCount * outputCount)
        // Keeps words that occur in one row only from growing without bound.
        let decay = 1e-4
        let rate = 1 / (rows.largestSquare + decay)
        var ahead = weights
        for step in 1...stepCount {
            var outputs = rows.multiply(ahead, outputCount: outputCount)
            residuals(&outputs)
            let gradient = rows.multiplyTransposed(outputs, outputCount: outputCount)
            let momentum = Double(step - 1) / Double(step + 2)
            for index in weights.indices {
                let next = ahead[index] - rate * (gradient[index] + decay * ahead[index])
                ahead[index] = next + momentum * (next - weights[index])
                weights[index] = next
            }
        }
    }

    /// The model's outputs for other rows of the same columns: [rows, outputs].
    func outputs(for rows: SparseRows) -> [Double] { rows.multiply(weights, outputCount: outputCount) }
}
