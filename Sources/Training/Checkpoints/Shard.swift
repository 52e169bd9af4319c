import Foundation

/// `shard-RANK-of-RANKS.h5`: the rows that one rank owns, of values and of both moments.
enum Shard {
    /// The groups of the file, in each of which a parameter has a dataset of its name.
    static let kinds = ["parameters", "moments/first", "moments/second"]

    static func name(rank: Int, of rankCount: Int) -> String {
        String(format: "shard-%03d-of-%03d.h5", rank, rankCount)
    }
}
