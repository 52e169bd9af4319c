/// What a rank tells all others in the exchange of every step.
package struct StepFlags: OptionSet, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// This rank was asked to stop.
    static let stopAsked = StepFlags(rawValue: 1)
    /// Its shard of the checkpoint at hand is on the disk, or its writing has failed.
    static let shardEnded = StepFlags(rawValue: 2)
    /// The checkpoint at hand is whole, or given up; said by the first rank.
    static let commitEnded = StepFlags(rawValue: 4)
}

/// What all ranks have told in one step: the same on every rank, so what follows from it happens on all at the same step.
package struct HeardFlags: Sendable {
    /// Told by at least one rank.
    var byAny: StepFlags = []
    /// Told by every rank.
    var byAll: StepFlags = []
}
