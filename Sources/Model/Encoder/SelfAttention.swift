import Kernels

/// Multi-head scaled dot-product attention within each sequence: softmax(Q·Kᵀ / √d)·V for each head.
///
/// Probabilities are not kept: backward computes them again from Q and K, which costs less than the memory would.
final class SelfAttention {
    private let hiddenSize: Int
    private let headSize: Int
    private let scale: Float
    /// Query, key and value as one product [3·hidden, hidden], and the last two of them [2·hidden, hidden].
    private let queryKeyValue, keyValue: Linear
    private let query: Linear
    private let dropouts: [Dropout]
    private let kept: Kept
    private let scratch: Scratch

    /// What forward keeps for backward.
    struct Kept {
        /// Q, K and V side by side [tokens, 3·hidden].
        let projected: Matrix
        /// Q of the tokens that are read, where not all are, and what they are computed from [rows, hidden]; only the last layer uses them.
        let chosenQueries, chosenInputs: Matrix

        init(_ sizes: EncoderSizes, _ capacity: BatchCapacity, _ workspace: Workspace) {
            projected = workspace.matrix(rows: capacity.tokens, columns: 3 * sizes.hiddenSize)
            chosenQueries = workspace.matrix(rows: capacity.chosenRows, columns: sizes.hiddenSize)
            chosenInputs = workspace.matrix(rows: capacity.chosenRows, columns: sizes.hiddenSize)
        }
    }

    /// Memory that all layers share, since each needs it for a moment only.
    struct Scratch {
        let ofThreads: [ThreadScratch]
        let dprojected: Matrix  // [tokens, 3·hidden]
        let dchosen: Matrix  // [rows, hidden]

        init(_ sizes: EncoderSizes, _ capacity: BatchCapacity, _ workspace: Workspace) {
            ofThreads = (0..<ThreadTeam.threadCount).map { _ in ThreadScratch(capacity, workspace) }
            dprojected = workspace.matrix(rows: capacity.tokens, columns: 3 * sizes.hiddenSize)
            dchosen = workspace.matrix(rows: capacity.chosenRows, columns: sizes.hiddenSize)
        }
    }

    /// Memory of one thread for one head of one sequence.
    struct ThreadScratch {
        let probabilities: Matrix  // [longest, longest]
        let dropped: Matrix  // [longest, longest]
        let dprobabilities: Matrix  // [longest, longest]

        init(_ capacity: BatchCapacity, _ workspace: Workspace) {
            probabilities = workspace.matrix(rows: capacity.longest, columns: capacity.longest)
            dropped = workspace.matrix(rows: capacity.longest, columns: capacity.longest)
            dprobabilities = workspace.matrix(rows: capacity.longest, columns: capacity.longest)
        }
    }

    init(
        _ name: String, layer: Int, _ sizes: EncoderSizes, dropout: Float, kept: Kept, scratch: Scratch,
        in parameters: Parameters
    ) {
        let hidden = sizes.hiddenSize
        hiddenSize = hidden
        headSize = hidden / sizes.headCount
        scale = 1 / Float(headSize).squareRoot()
        // Weights first, then biases, so that the three products can be one.
        let weights = ["query", "key", "value"].map { parameters.add("\(name).\($0).weight", hidden, hidden) }
        let biases = ["query", "key", "value"].map { parameters.add("\(name).\($0).bias", hidden) }
        query = Linear(weight: weights[0], bias: biases[0])
        keyValue = Linear(weight: weights[1].joined(with: weights[2]), bias: biases[1].joined(with: biases[2]))
        queryKeyValue = Linear(
            weight: weights[0].joined(with: weights[1], weights[2]), bias: biases[0].joined(with: biases[1], biases[2]))
        dropouts = (0..<sizes.headCount).map {
            Dropout(probability: dropout, site: DropoutSite.attention(layer, head: $0))
        }
        self.kept = kept
        self.scratch = scratch
    }

    /// context = attention of the rows that are read over all rows of their sequence.
    func forward(_ x: Matrix, _ batch: PackedBatch, _ reads: RowsRead, into context: Matrix) {
        let all = kept.projected.prefix(batch.tokenCount)
        switch reads {
        case .allTokens:
            queryKeyValue.forward(x, into: all)
        case .firstTokens, .maskedTokens:
            keyValue.forward(x, into: all.columns(hiddenSize..<3 * hiddenSize))
            let inputs = kept.chosenInputs.prefix(batch.rowCount(reads))
            batch.gather(reads, of: x, into: inputs)
            query.forward(inputs, into: kept.chosenQueries.prefix(batch.rowCount(reads)))
        }
        shareOutHeads(batch, (self, batch, reads, context)) { work, head, sequence, scratch in
            let (attention, batch, reads, context) = work
            attention.forwardHead(head, of: sequence, batch, reads, scratch, into: context)
        }
    }

    private func forwardHead(
        _ head: Int, of sequence: Int, _ batch: PackedBatch, _ reads: RowsRead, _ scratch: ThreadScratch,
        into context: Matrix
    ) {
        let (tokens, rows) = rowsOfKeysAndQueries(sequence, batch, reads)
        let p = scratch.probabilities.rows(0..<rows.count).columns(0..<tokens.count)
        let q = queries(batch, reads).rows(rows).columns(range(head))
        let (k, v) = keysAndValues(tokens, head)
        attentionProbabilities(q, k, into: p)
        probabilityDropout(head, batch, reads, rows)?.apply(to: p)
        multiply(p, v, into: context.rows(rows).columns(range(head)))
    }

    /// dx = the gradient of all rows of x through Q, K and V.
    func backward(_ dcontext: Matrix, input x: Matrix, _ batch: PackedBatch, _ reads: RowsRead, into dx: Matrix) {
        shareOutHeads(batch, (self, batch, reads, dcontext)) { work, head, sequence, scratch in
            let (attention, batch, reads, dcontext) = work
            attention.backwardHead(head, of: sequence, dcontext, batch, reads, scratch)
        }
        backwardProjections(input: x, batch, reads, into: dx)
    }

    private func backwardHead(
        _ head: Int, of sequence: Int, _ dcontext: Matrix, _ batch: PackedBatch, _ reads: RowsRead,
        _ scratch: ThreadScratch
    ) {
        let (tokens, rows) = rowsOfKeysAndQueries(sequence, batch, reads)
        let p = scratch.probabilities.rows(0..<rows.count).columns(0..<tokens.count)
        let dropped = scratch.dropped.rows(0..<rows.count).columns(0..<tokens.count)
        let dp = scratch.dprobabilities.rows(0..<rows.count).columns(0..<tokens.count)
        let q = queries(batch, reads).rows(rows).columns(range(head))
        let (k, v) = keysAndValues(tokens, head)
        let (dk, dv) = keyAndValueGradients(tokens, head)
        let dc = dcontext.rows(rows).columns(range(head))
        attentionProbabilities(q, k, into: p)
        multiply(dc, v, transposed: (false, true), into: dp)
        if let dropout = probabilityDropout(head, batch, reads, rows) {
            dropout.apply(p, into: dropped, alsoTo: dp)
            multiply(dropped, dc, transposed: (true, false), into: dv)
        } else {
            multiply(p, dc, transposed: (true, false), into: dv)
        }
        for row in 0..<p.rows {
            softmaxBackward(dp.row(row), probabilities: p.row(row), count: p.columns, scale: scale)
        }
        multiply(dp, k, into: queryGradients(batch, reads).rows(rows).columns(range(head)))
        multiply(dp, q, transposed: (true, false), into: dk)
    }

    private func backwardProjections(input x: Matrix, _ batch: PackedBatch, _ reads: RowsRead, into dx: Matrix) {
        let dall = scratch.dprojected.prefix(batch.tokenCount)
        switch reads {
        case .allTokens:
            queryKeyValue.backwardParameters(batch.tokenSlices, dall, input: x)
            queryKeyValue.backwardInput(dall, into: dx)
        case .firstTokens, .maskedTokens:
            let dkeyValue = dall.columns(hiddenSize..<3 * hiddenSize)
            let dquery = queryGradients(batch, reads)
            let dinputs = scratch.dchosen.prefix(batch.rowCount(reads))
            keyValue.backwardParameters(batch.tokenSlices, dkeyValue, input: x)
            keyValue.backwardInput(dkeyValue, into: dx)
            query.backwardParameters(
                batch.slices(reads), dquery, input: kept.chosenInputs.prefix(batch.rowCount(reads)))
            query.backwardInput(dquery, into: dinputs)
            batch.add(dinputs, reads, to: dx)
        }
    }

    /// p = softmax(q·kᵀ / √d), row by row.
    private func attentionProbabilities(_ q: Matrix, _ k: Matrix, into p: Matrix) {
        multiply(q, k, transposed: (false, true), into: p)
        for row in 0..<p.rows { softmax(p.row(row), count: p.columns, scale: scale) }
    }

    /// A row's number is that of its query token, so a token is treated alike whether or not the others are computed.
    private func probabilityDropout(
        _ head: Int, _ batch: PackedBatch, _ reads: RowsRead, _ rows: Range<Int>
    ) -> RowDropout? {
        RowDropout(dropouts[head], identities: batch.identities(reads) + rows.lowerBound, random: batch.random)
    }

    /// Calls `body` for every head of every sequence, shared out among threads by heads first: those of a sequence take equally long.
    @inline(__always)
    private func shareOutHeads<Context>(
        _ batch: PackedBatch, _ context: Context,
        _ body: @escaping (_ context: Context, _ head: Int, _ sequence: Int, _ scratch: ThreadScratch) -> Void
    ) {
        let work = HeadWork(
            context: context, body: body, sequenceCount: batch.sequenceCount, scratch: scratch.ofThreads)
        shareOut(dropouts.count * batch.sequenceCount, least: 4, work) { work, places in
            let scratch = work.scratch[ThreadTeam.currentPart]
            for place in places {
                work.body(work.context, place / work.sequenceCount, place % work.sequenceCount, scratch)
            }
        }
    }

    private struct HeadWork<Context> {
        let context: Context
        let body: (_ context: Context, _ head: Int, _ sequence: Int, _ scratch: ThreadScratch) -> Void
        let sequenceCount: Int
        let scratch: [ThreadScratch]
    }

    private func rowsOfKeysAndQueries(
        _ sequence: Int, _ batch: PackedBatch, _ reads: RowsRead
    ) -> (tokens: Range<Int>, rows: Range<Int>) {
        (batch.tokens(of: sequence), batch.rows(of: sequence, reads))
    }

    private func range(_ head: Int) -> Range<Int> { (head * headSize)..<((head + 1) * headSize) }

    private func queries(_ batch: PackedBatch, _ reads: RowsRead) -> Matrix {
        reads == .allTokens ? kept.projected.columns(0..<hiddenSize) : kept.chosenQueries
    }

    private func queryGradients(_ batch: PackedBatch, _ reads: RowsRead) -> Matrix {
        // Where not all tokens are read, gradients borrow the columns that hold queries otherwise.
        scratch.dprojected.prefix(batch.rowCount(reads)).columns(0..<hiddenSize)
    }

    private func keysAndValues(_ tokens: Range<Int>, _ head: Int) -> (Matrix, Matrix) {
        columnsOfKeysAndValues(kept.projected.rows(tokens), head)
    }

    private func keyAndValueGradients(_ tokens: Range<Int>, _ head: Int) -> (Matrix, Matrix) {
        columnsOfKeysAndValues(scratch.dprojected.rows(tokens), head)
    }

    private func columnsOfKeysAndValues(_ matrix: Matrix, _ head: Int) -> (Matrix, Matrix) {
        let columns = range(head)
        return (
            matrix.columns((columns.lowerBound + hiddenSize)..<(columns.upperBound + hiddenSize)),
            matrix.columns((columns.lowerBound + 2 * hiddenSize)..<(columns.upperBound + 2 * hiddenSize))
        )
    }
}
