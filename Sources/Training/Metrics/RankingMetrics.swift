extension Metrics {
    /// The share of queries whose right candidate scores higher than every other; a tie counts as wrong.
    ///
    /// `scores` holds the scores of one query's candidates per element, `positives` the index of the right one.
    public static func accuracyAt1(scores: [[Double]], positives: [Int]) -> Double {
        mean(ranksOfPositives(scores, positives).map { $0 == 1 ? 1 : 0 })
    }

    /// The mean over queries of one divided by the rank of the right candidate, which loses every tie.
    public static func meanReciprocalRank(scores: [[Double]], positives: [Int]) -> Double {
        mean(ranksOfPositives(scores, positives).map { 1 / Double($0) })
    }

    /// How many candidates score at least as much as the right one, itself among them.
    ///
    /// A model that gives all candidates the same score knows nothing and so comes last, not first by position. A score
    /// that is not a number counts as the better one, for the same reason.
    private static func ranksOfPositives(_ scores: [[Double]], _ positives: [Int]) -> [Int] {
        precondition(scores.count == positives.count, "\(scores.count) queries, \(positives.count) right candidates")
        return zip(scores, positives).map { candidates, positive in
            candidates.count { !($0 < candidates[positive]) }
        }
    }
}
