import Kernels

/// A product of rows with the word embeddings, whose gradient is a part of theirs: scores = x·Eᵀ.
struct TiedDecoderGradient {
    let slices: RowSlices
    /// Gradient of the scores [rows, vocabulary].
    let dscores: Matrix
    /// The rows [rows, hidden].
    let x: Matrix
}

/// The gradient of the word embeddings, kept only for the rows that the global batch touches.
///
/// Every rank knows the whole global batch, so all agree on the touched rows: row i of the gradient belongs to word piece `touched[i]`. A head with
/// scores for all word pieces touches all rows.
public final class WordGradient {
    /// Most rows that one global batch touches.
    public let capacity: Int
    /// Width of a row.
    public let columns: Int
    private let vocabularySize: Int
    private let buffers: [Matrix]
    /// Where the buffers begin [subtrees].
    private let bases: UnsafeMutablePointer<UnsafeMutablePointer<Float>>
    private let rowOfToken: UnsafeMutablePointer<Int32>
    private let touchedTokens: UnsafeMutablePointer<Int32>
    private let occurrenceStarts: UnsafeMutablePointer<Int>
    private let occurrences: UnsafeMutablePointer<Int32>
    /// Number of touched rows.
    public private(set) var count = 0

    /// Room for `capacity` touched rows and `tokens` tokens of this rank, in the buffers of `memory`, one for each of its subtrees.
    public init(
        vocabularySize: Int, columns: Int, capacity: Int, tokens: Int, memory: ParameterMemory, in workspace: Workspace
    ) {
        self.capacity = capacity
        self.columns = columns
        self.vocabularySize = vocabularySize
        buffers = memory.wordGradients.map { Matrix($0, rows: capacity, columns: columns) }
        bases = workspace.array(UnsafeMutablePointer<Float>.self, buffers.count)
        for (index, start) in memory.wordGradients.enumerated() { bases[index] = start }
        rowOfToken = workspace.array(Int32.self, vocabularySize)
        rowOfToken.initialize(repeating: -1, count: vocabularySize)
        touchedTokens = workspace.array(Int32.self, capacity)
        occurrenceStarts = workspace.array(Int.self, capacity + 2)
        occurrences = workspace.array(Int32.self, tokens)
    }

    /// The touched word pieces in rising order.
    public var touched: UnsafeBufferPointer<Int32> { UnsafeBufferPointer(start: touchedTokens, count: count) }

    /// The gradient sum of subtree `index` [touched rows, columns].
    public func buffer(_ index: Int) -> Matrix { buffers[index].prefix(count) }

    /// The gradient's row of a word piece, or nil where the batch does not touch it.
    public func row(of token: Int) -> Int? { rowOfToken[token] < 0 ? nil : Int(rowOfToken[token]) }

    /// The rows that belong to word pieces from `first` to below `end`.
    public func touchedRows(from first: Int, below end: Int) -> Range<Int> {
        touchedCount(below: first)..<touchedCount(below: end)
    }

    /// How many touched word pieces have a lower number (by bisection).
    private func touchedCount(below token: Int) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if Int(touchedTokens[middle]) < token { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Begins the list of touched rows of a new global batch.
    public func clear() {
        for index in 0..<count { rowOfToken[Int(touchedTokens[index])] = -1 }
        count = 0
    }

    /// Adds the word pieces of one sequence of the global batch, whoever computes it.
    public func touch(_ tokens: UnsafeBufferPointer<Int32>) {
        for token in tokens where rowOfToken[Int(token)] < 0 {
            precondition(count < capacity, "the batch touches more word embeddings than there is room for")
            rowOfToken[Int(token)] = 0
            count += 1
        }
    }

    /// Adds all word pieces.
    public func touchAll() {
        precondition(capacity >= vocabularySize, "there is no room for all word embeddings")
        rowOfToken.update(repeating: 0, count: vocabularySize)
        count = vocabularySize
    }

    /// Ends the list: numbers the touched rows in rising order, so that every owner's rows are one run.
    public func finish() {
        var row = 0
        for token in 0..<vocabularySize where rowOfToken[token] >= 0 {
            rowOfToken[token] = Int32(row)
            touchedTokens[row] = Int32(token)
            row += 1
        }
    }

    /// Writes the gradient: for each touched row, the sum of dx over the tokens that read it, in token order within a slice and along
    /// the tree over slices.
    /// - Parameter decoder: a product with all embeddings, whose gradient is added in each slice before those of tokens.
    func backward(_ dx: Matrix, batch: PackedBatch, decoder: TiedDecoderGradient?) {
        collectOccurrences(batch)
        if let decoder {
            precondition(count == vocabularySize, "a product with all embeddings touches all of them")
            let lookedUp = ScatteredRows(dx, batch.tokenSlices, starts: occurrenceStarts, sources: occurrences)
            sumOuterProducts(
                decoder.slices, decoder.dscores, decoder.x, adding: lookedUp,
                into: GradientSums(bases: bases, offset: 0))
            return
        }
        let least = ThreadTeam.leastElements / max(1, batch.tokenCount)
        shareOut(columns, unit: 16, least: least, (self, dx, batch.tokenSlices)) { work, columns in
            let (words, dx, slices) = work
            for row in 0..<words.count { words.sum(dx, slices, row: row, columns: columns) }
        }
    }

    /// Some columns of the gradient of a touched row.
    private func sum(_ dx: Matrix, _ slices: RowSlices, row: Int, columns: Range<Int>) {
        let tree = slices.tree
        for subtree in 0..<tree.subtrees.count {
            let last = occurrenceStarts[row + 1]
            var next = occurrenceStarts[row]
            let destination = buffers[tree.firstSum + subtree].row(row)
            tree.sum(tree.subtrees[subtree], columns: columns, into: destination) { slice, sum in
                sum.update(repeating: 0, count: columns.count)
                let range = slices.range(slice)
                while next < last, Int(occurrences[next]) < range.lowerBound { next += 1 }
                while next < last, Int(occurrences[next]) < range.upperBound {
                    addVector(
                        dx.row(Int(occurrences[next])) + columns.lowerBound, to: sum, count: columns.count)
                    next += 1
                }
            }
        }
    }

    /// Lists for each touched row the tokens of this rank's share that read it, in rising order.
    private func collectOccurrences(_ batch: PackedBatch) {
        occurrenceStarts.update(repeating: 0, count: count + 2)
        for token in 0..<batch.tokenCount { occurrenceStarts[Int(rowOfToken[Int(batch.tokens[token])]) + 2] += 1 }
        for row in 0..<count { occurrenceStarts[row + 2] += occurrenceStarts[row + 1] }
        for token in 0..<batch.tokenCount {
            let row = Int(rowOfToken[Int(batch.tokens[token])])
            occurrences[occurrenceStarts[row + 1]] = Int32(token)
            occurrenceStarts[row + 1] += 1
        }
    }
}
