/// y = γ ∘ x̂ + β with x̂ = (s - mean s) / √(variance s + ε), s = residual + dropout(x + b), row by row.
///
/// x is replaced by x̂, which backward needs; `inverseDeviations` receives 1 / √(variance + ε) of each row.
/// - Parameters:
///   - x: output of a linear layer without its bias [rows, columns].
///   - bias: the linear layer's bias [columns], or nil.
///   - residual: what is added [rows, columns], or nil.
///   - dropout: what drops elements of x + b, or nil.
public func residualLayerNormalization(
    _ x: Matrix, bias: UnsafePointer<Float>?, residual: Matrix?, dropout: RowDropout?,
    scale gamma: UnsafePointer<Float>,
    shift beta: UnsafePointer<Float>, epsilon: Float, into y: Matrix, inverseDeviations: UnsafeMutablePointer<Float>
) {
    forEachRow(of: x, (x, bias, residual, dropout, gamma, beta, epsilon, y, inverseDeviations)) { work, index in
        let (x, bias, residual, dropout, gamma, beta, epsilon, y, inverseDeviations) = work
        let columns = x.columns
        let sum = x.row(index)
        if let bias { addVector(bias, to: sum, count: columns) }
        dropout?.apply(to: sum, count: columns, row: index)
        if let residual { addVector(residual.row(index), to: sum, count: columns) }
        inverseDeviations[index] = normalize(
            sum, count: columns, gamma: gamma, beta: beta, epsilon: epsilon, into: y.row(index))
    }
}

private func normalize(
    _ values: UnsafeMutablePointer<Float>, count columns: Int, gamma: UnsafePointer<Float>, beta: UnsafePointer<Float>,
    epsilon: Float, into output: UnsafeMutablePointer<Float>
) -> Float {
    var total = Vector.zero
    forEachVector(columns) { start, count in total += load(values + start, count) }
    let mean = total.total / Float(columns)
    var squares = Vector.zero
    forEachVector(columns) { start, count in
        var centred = load(values + start, count) - mean
        if count < 8 { centred = centred.filled(from: count, with: 0) }
        squares += centred * centred
    }
    let inverseDeviation = 1 / (squares.total / Float(columns) + epsilon).squareRoot()
    forEachVector(columns) { start, count in
        let normalized = (load(values + start, count) - mean) * inverseDeviation
        store(normalized, values + start, count)
        store(normalized * load(gamma + start, count) + load(beta + start, count), output + start, count)
    }
    return inverseDeviation
}

/// The backward of `residualLayerNormalization` for its inputs; that of γ, β and b are column sums.
/// - Parameters:
///   - dy: gradient of the output [rows, columns].
///   - normalized: x̂ as forward left it.
///   - dresidual: receives the gradient of the residual input, which is that of the sum [rows, columns].
///   - dx: receives the gradient of x + b, the same through dropout; may be the same memory as `dresidual` where there is none.
public func residualLayerNormalizationBackward(
    _ dy: Matrix, normalized: Matrix, inverseDeviations: UnsafePointer<Float>, scale gamma: UnsafePointer<Float>,
    dropout: RowDropout?, dresidual: Matrix, dx: Matrix
) {
    forEachRow(of: dy, (dy, normalized, inverseDeviations, gamma, dropout, dresidual, dx)) { work, index in
        let (dy, normalized, inverseDeviations, gamma, dropout, dresidual, dx) = work
        let columns = dy.columns
        let gradient = dy.row(index)
        let hat = normalized.row(index)
        var sum = Vector.zero
        var product = Vector.zero
        forEachVector(columns) { start, count in
            let scaled = load(gradient + start, count) * load(gamma + start, count)
            sum += scaled
            product += scaled * load(hat + start, count)
        }
        let mean = sum.total / Float(columns)
        let correlation = product.total / Float(columns)
        let inverse = inverseDeviations[index]
        let output = dresidual.row(index)
        forEachVector(columns) { start, count in
            let scaled = load(gradient + start, count) * load(gamma + start, count)
            let value = (scaled - mean - load(hat + start, count) * correlation) * inverse
            store(value, output + start, count)
        }
        if dx.pointer != dresidual.pointer { dx.row(index).update(from: output, count: columns) }
        dropout?.apply(to: dx.row(index), count: columns, row: index)
    }
}
