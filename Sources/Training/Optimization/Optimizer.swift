import Kernels
import Model

/// Updates the rows that this rank owns, and keeps their moments: 1/ranks of the memory.
///
/// A group that a step does not touch keeps its values and moments, as torch does where a gradient is nil; its bias correction counts the
/// steps that did touch it.
final class Optimizer {
    /// The moments of one run of owned rows.
    struct OwnedPiece {
        let piece: Ownership.Piece
        let first, second: UnsafeMutablePointer<Float>
        let decay: Float
    }

    /// What this rank owns, by group.
    let owned: [[OwnedPiece]]
    /// Bytes of both moments.
    var byteCount: Int { moments.byteCount }
    private let rule: OptimizerChoice
    private let values: UnsafeMutablePointer<Float>
    private let moments: FloatBuffer
    private let words: WordGradient

    /// - Parameter decay: weight decay of matrices; biases and LayerNorms have none.
    init(
        _ rule: OptimizerChoice, decay: Float, _ parameters: Parameters, _ words: WordGradient, ownerships: [Ownership],
        rank: Int
    ) {
        self.rule = rule
        self.words = words
        values = parameters.values
        moments = FloatBuffer(count: 2 * ownerships.reduce(0) { $0 + $1.range(of: rank).count })
        var next = moments.pointer
        owned = ownerships.map { ownership in
            ownership.pieces(of: rank).map { piece in
                let first = next
                next += 2 * piece.range.count
                return OwnedPiece(
                    piece: piece, first: first, second: first + piece.range.count,
                    decay: Optimizer.decays(piece.parameter) ? decay : 0)
            }
        }
    }

    /// Weight decay is for matrices: biases and the scales of LayerNorm are vectors.
    private static func decays(_ parameter: Parameter) -> Bool { parameter.shape.count > 1 }

    /// Updates what this rank owns of a group.
    /// - Parameters:
    ///   - gradient: the sums of the owned rows; of word embeddings, of the touched ones among them.
    ///   - scale: what gradients are multiplied by, for clipping.
    ///   - step: how many updates the group has had, this one included.
    func update(
        group: Int, gradient: UnsafeMutableBufferPointer<Float>, scale: Float, rate: Float, step: Int
    ) {
        guard group > 0 else {
            updateWords(gradient, scale: scale, rate: rate, step: step)
            return
        }
        guard var next = gradient.baseAddress else { return }
        for piece in owned[group] {
            update(piece, elements: 0..<piece.piece.range.count, gradient: next, scale: scale, rate: rate, step: step)
            next += piece.piece.range.count
        }
    }

    /// All owned rows, also those without a gradient: their moments decay as in a dense optimizer.
    private func updateWords(
        _ gradient: UnsafeMutableBufferPointer<Float>, scale: Float, rate: Float, step: Int
    ) {
        guard let piece = owned[0].first else { return }
        let columns = words.columns
        let rows = piece.piece.rows
        var touched = words.touchedRows(from: rows.lowerBound, below: rows.upperBound).lowerBound
        var row = rows.lowerBound
        var next = gradient.baseAddress
        while row < rows.upperBound {
            let hasGradient = touched < words.count && Int(words.touched[touched]) == row
            // Rows without a gradient are updated in one run up to the next that has one.
            let end =
                hasGradient
                ? row + 1 : touched < words.count ? min(rows.upperBound, Int(words.touched[touched])) : rows.upperBound
            let elements = ((row - rows.lowerBound) * columns)..<((end - rows.lowerBound) * columns)
            update(
                piece, elements: elements, gradient: hasGradient ? next : nil, scale: scale, rate: rate, step: step)
            if hasGradient {
                touched += 1
                next = next.map { $0 + columns }
            }
            row = end
        }
    }

    private func update(
        _ owned: OwnedPiece, elements: Range<Int>, gradient: UnsafePointer<Float>?, scale: Float, rate: Float, step: Int
    ) {
        let run = UpdateRun(
            values: values + owned.piece.range.lowerBound + elements.lowerBound, gradient: gradient,
            first: owned.first + elements.lowerBound, second: owned.second + elements.lowerBound, count: elements.count)
        switch rule {
        case .adamax:
            updateAdamax(
                run, gradientScale: scale, rate: rate, decay: owned.decay, betas: (0.9, 0.999), epsilon: 1e-6)
        case .adamaxTorch:
            updateTorchAdamax(
                run, gradientScale: scale, rate: rate, decay: owned.decay, betas: (0.9, 0.999), epsilon: 1e-8,
                step: step)
        case .adamW:
            updateAdamW(
                run, gradientScale: scale, rate: rate, decay: owned.decay, betas: (0.9, 0.999), epsilon: 1e-8,
                step: step)
        }
    }
}
