import Kernels

extension PackedBatch {
    /// The rows of first tokens, one for each sequence: y[s] = x[start of s].
    func gatherFirstTokens(of x: Matrix, into y: Matrix) {
        for sequence in 0..<sequenceCount {
            y.row(sequence).update(from: x.row(sequenceStarts[sequence]), count: x.columns)
        }
    }

    /// The backward of `gatherFirstTokens`: dx[start of s] += dy[s].
    func addToFirstTokens(_ dy: Matrix, of dx: Matrix) {
        for sequence in 0..<sequenceCount {
            addVector(dy.row(sequence), to: dx.row(sequenceStarts[sequence]), count: dy.columns)
        }
    }

    /// How many rows a head reads.
    func rowCount(_ reads: RowsRead) -> Int { reads == .allTokens ? tokenCount : sequenceCount }

    /// The slices of the rows that a head reads.
    func slices(_ reads: RowsRead) -> RowSlices { reads == .allTokens ? tokenSlices : sequenceSlices }

    /// The identities of the rows that a head reads.
    func identities(_ reads: RowsRead) -> UnsafePointer<RowIdentity> {
        UnsafePointer(reads == .allTokens ? tokenIdentities : sequenceIdentities)
    }

    /// `dropout` on the rows that a head reads; nil in evaluation.
    func rowDropout(_ dropout: Dropout, _ reads: RowsRead) -> RowDropout? {
        RowDropout(dropout, identities: identities(reads), random: random)
    }
}
