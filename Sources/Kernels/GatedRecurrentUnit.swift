/// The gates of a gated recurrent unit (Cho et al. 2014, as torch's GRUCell), row by row:
/// r = σ(iᵣ + hᵣ), z = σ(i_z + h_z), n = tanh(iₙ + r ∘ hₙ), s = (1 - z) ∘ n + z ∘ h.
/// - Parameters:
///   - fromInput: W·x + b for r, z and n side by side [rows, 3·columns]; replaced by r, z and n.
///   - fromHidden: U·h + c for r, z and n side by side [rows, 3·columns].
///   - hidden: h [rows, columns].
///   - output: receives s [rows, columns].
public func gatedRecurrentUnit(fromInput: Matrix, fromHidden: Matrix, hidden: Matrix, into output: Matrix) {
    let columns = output.columns
    for row in 0..<output.rows {
        let i = fromInput.row(row)
        let u = fromHidden.row(row)
        let h = hidden.row(row)
        let s = output.row(row)
        forEachVector(columns) { start, count in
            let r = sigmoid(load(i + start, count) + load(u + start, count))
            let z = sigmoid(load(i + columns + start, count) + load(u + columns + start, count))
            let n = hyperbolicTangent(
                load(i + 2 * columns + start, count) + r * load(u + 2 * columns + start, count))
            store((1 - z) * n + z * load(h + start, count), s + start, count)
            store(r, i + start, count)
            store(z, i + columns + start, count)
            store(n, i + 2 * columns + start, count)
        }
    }
}

/// The backward of `gatedRecurrentUnit`.
/// - Parameters:
///   - ds: gradient of s [rows, columns].
///   - gates: r, z and n as forward left them [rows, 3·columns]; replaced by the gradient of `fromInput`.
///   - fromHidden: as in forward; replaced by its gradient.
///   - hidden: h [rows, columns].
///   - dhidden: receives the part of the gradient of h that does not pass through `fromHidden`.
public func gatedRecurrentUnitBackward(
    _ ds: Matrix, gates: Matrix, fromHidden: Matrix, hidden: Matrix, dhidden: Matrix
) {
    let columns = ds.columns
    for row in 0..<ds.rows {
        let g = gates.row(row)
        let u = fromHidden.row(row)
        let h = hidden.row(row)
        let gradient = ds.row(row)
        forEachVector(columns) { start, count in
            let d = load(gradient + start, count)
            let r = load(g + start, count)
            let z = load(g + columns + start, count)
            let n = load(g + 2 * columns + start, count)
            let un = load(u + 2 * columns + start, count)
            let dn = d * (1 - z) * (1 - n * n)
            let dz = d * (load(h + start, count) - n) * z * (1 - z)
            let dr = dn * un * r * (1 - r)
            store(dr, g + start, count)
            store(dz, g + columns + start, count)
            store(dn, g + 2 * columns + start, count)
            store(dr, u + start, count)
            store(dz, u + columns + start, count)
            store(dn * r, u + 2 * columns + start, count)
            store(d * z, dhidden.row(row) + start, count)
        }
    }
}
