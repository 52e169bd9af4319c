import Kernels

extension PackedBatch {
    /// The rows that a head reads: y[i] = x[token of row i].
    func gather(_ reads: RowsRead, of x: Matrix, into y: Matrix) {
        let tokens = tokensRead(reads)
        for row in 0..<rowCount(reads) { y.row(row).update(from: x.row(tokens[row]), count: x.columns) }
    }

    /// The backward of `gather`: dx[token of row i] += dy[i].
    func add(_ dy: Matrix, _ reads: RowsRead, to dx: Matrix) {
        let tokens = tokensRead(reads)
        for row in 0..<rowCount(reads) { addVector(dy.row(row), to: dx.row(tokens[row]), count: dy.columns) }
    }

    /// Where the tokens are whose rows a head reads that does not read all.
    private func tokensRead(_ reads: RowsRead) -> UnsafePointer<Int> {
        UnsafePointer(reads == .firstTokens ? sequenceStarts : chosenTokens)
    }

    /// How many rows a head reads.
    func rowCount(_ reads: RowsRead) -> Int {
        switch reads {
        case .firstTokens: sequenceCount
        case .maskedTokens: sequenceCount + maskedCount
        case .allTokens: tokenCount
        }
    }

    /// The rows of one sequence among those that a head reads.
    func rows(of sequence: Int, _ reads: RowsRead) -> Range<Int> {
        switch reads {
        case .firstTokens: return sequence..<(sequence + 1)
        case .maskedTokens:
            let masked = maskedTokens(of: sequence)
            return (masked.lowerBound + sequence)..<(masked.upperBound + sequence + 1)
        case .allTokens: return tokens(of: sequence)
        }
    }

    /// The slices of the rows that a head reads.
    func slices(_ reads: RowsRead) -> RowSlices {
        switch reads {
        case .firstTokens: sequenceSlices
        case .maskedTokens: chosenSlices
        case .allTokens: tokenSlices
        }
    }

    /// The identities of the rows that a head reads.
    func identities(_ reads: RowsRead) -> UnsafePointer<RowIdentity> {
        switch reads {
        case .firstTokens: UnsafePointer(sequenceIdentities)
        case .maskedTokens: UnsafePointer(chosenIdentities)
        case .allTokens: UnsafePointer(tokenIdentities)
        }
    }

    /// `dropout` on the rows that a head reads; nil in evaluation.
    func rowDropout(_ dropout: Dropout, _ reads: RowsRead) -> RowDropout? {
        RowDropout(dropout, identities: identities(reads), random: random)
    }
}

extension BatchCapacity {
    /// Most rows that a head reads that does not read all.
    var chosenRows: Int { sequences + maskedTokens }
}
