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
        /// Number of the parameter in its group.
        let number: Int
    }

    /// What this rank owns, by group.
    let owned: [[OwnedPiece]]
    /// Bytes of both moments.
    var byteCount: Int { moments.byteCount }
    private let rule: OptimizerChoice
    private let values: UnsafeMutablePointer<Float>
    private let moments: FloatBuffer
    private let words: WordGradient
    /// For each owned word embedding whether its moments are zero, as before its first gradient.
    private let wordRowIsIdle: UnsafeMutablePointer<Bool>
    private var wordRows: Range<Int> { owned[ParameterGroup.wordEmbeddings].first?.piece.rows ?? 0..<0 }

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
                    decay: Optimizer.isMatrix(piece.parameter) ? decay : 0,
                    number: ownership.group.parameters.firstIndex { $0.offset == piece.parameter.offset }!)
            }
        }
        wordRowIsIdle = .allocate(capacity: owned[ParameterGroup.wordEmbeddings].first?.piece.rows.count ?? 0)
        findIdleWords()
    }

    deinit { wordRowIsIdle.deallocate() }

    /// Weight decay is for matrices: biases and the scales of LayerNorm are vectors.
    static func isMatrix(_ parameter: Parameter) -> Bool { parameter.shape.count > 1 }

    /// Updates what this rank owns of a group; of LAMB only the moments, since `TrustRatios` needs those of all ranks to go on.
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
            let count = piece.piece.range.count
            shareOut(count, unit: 16, least: ThreadTeam.leastElements, (self, piece, next, scale, rate, step)) {
                work, elements in
                let (optimizer, piece, gradient, scale, rate, step) = work
                optimizer.update(
                    piece, elements: elements, gradient: gradient + elements.lowerBound, scale: scale, rate: rate,
                    step: step)
            }
            next += count
        }
    }

    /// All owned rows, also those without a gradient: their moments decay as in a dense optimizer.
    ///
    /// Rows that no batch has touched yet have moments of zero, which stay zero: only decay moves their values.
    private func updateWords(
        _ gradient: UnsafeMutableBufferPointer<Float>, scale: Float, rate: Float, step: Int
    ) {
        shareOut(wordRows.count, least: 64, (self, gradient, scale, rate, step)) { work, rows in
            let (optimizer, gradient, scale, rate, step) = work
            optimizer.updateWords(rows, gradient, scale: scale, rate: rate, step: step)
        }
    }

    /// The owned rows of these numbers.
    private func updateWords(
        _ indices: Range<Int>, _ gradient: UnsafeMutableBufferPointer<Float>, scale: Float, rate: Float, step: Int
    ) {
        guard let piece = owned[ParameterGroup.wordEmbeddings].first else { return }
        let columns = words.columns
        let firstRow = wordRows.lowerBound
        let idleRowsStay = piece.decay == 0
        let before = words.touchedRows(from: firstRow, below: firstRow + indices.lowerBound)
        var touched = before.upperBound
        var next = gradient.baseAddress.map { $0 + before.count * columns }
        for index in indices {
            let row = firstRow + index
            let hasGradient = touched < words.count && Int(words.touched[touched]) == row
            if hasGradient { wordRowIsIdle[index] = false }
            if wordRowIsIdle[index] && idleRowsStay { continue }
            update(
                piece, elements: (index * columns)..<((index + 1) * columns), gradient: hasGradient ? next : nil,
                scale: scale, rate: rate, step: step, isIdle: wordRowIsIdle[index])
            if hasGradient {
                touched += 1
                next = next.map { $0 + columns }
            }
        }
    }

    /// Finds the word embeddings whose moments are zero, after moments have been loaded.
    func findIdleWords() {
        guard let piece = owned[ParameterGroup.wordEmbeddings].first else { return }
        // Where decay is added to the gradient, no row is ever without one.
        let canIdle = ![.adamaxTorch, .sgd].contains(rule) || piece.decay == 0
        let columns = words.columns
        for row in 0..<wordRows.count {
            let isIdle =
                canIdle && isZero(piece.first + row * columns, columns) && isZero(piece.second + row * columns, columns)
            (wordRowIsIdle + row).initialize(to: isIdle)
        }
    }

    private static let lambBetas: (Float, Float) = (0.9, 0.999)

    /// What LAMB moves an owned piece along after `step` updates.
    func direction(_ owned: OwnedPiece, step: Int) -> LAMBDirection {
        LAMBDirection(decay: owned.decay, betas: Optimizer.lambBetas, epsilon: 1e-6, step: step)
    }

    /// A row of an owned piece.
    func run(_ owned: OwnedPiece, row: Int) -> UpdateRun {
        let columns = owned.piece.parameter.columns
        let start = row * columns
        return UpdateRun(
            values: values + owned.piece.range.lowerBound + start, gradient: nil, first: owned.first + start,
            second: owned.second + start, count: columns)
    }

    private func isZero(_ values: UnsafePointer<Float>, _ count: Int) -> Bool {
        UnsafeBufferPointer(start: values, count: count).allSatisfy { $0 == 0 }
    }

    private func update(
        _ owned: OwnedPiece, elements: Range<Int>, gradient: UnsafePointer<Float>?, scale: Float, rate: Float,
        step: Int,
        isIdle: Bool = false
    ) {
        let run = UpdateRun(
            values: values + owned.piece.range.lowerBound + elements.lowerBound, gradient: gradient,
            first: owned.first + elements.lowerBound, second: owned.second + elements.lowerBound, count: elements.count,
            isIdle: isIdle)
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
        case .radam:
            updateRAdam(
                run, gradientScale: scale, rate: rate, decay: owned.decay, betas: (0.9, 0.999), epsilon: 1e-8,
                step: step)
        case .lamb: updateMoments(run, gradientScale: scale, betas: Optimizer.lambBetas)
        case .sgd:
            updateSGD(run, gradientScale: scale, rate: rate, decay: owned.decay, momentum: 0.9)
        }
    }
}
