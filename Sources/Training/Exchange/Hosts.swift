import Communication
import Kernels

/// Which ranks run on which host. Hosts are numbered in the order of their first ranks.
struct Hosts {
    /// The ranks of each host, in rising order.
    let ranks: [[Int]]
    /// The host of this rank.
    let own: Int
    /// The host of each rank [ranks].
    let hostOfRank: [Int]

    /// The hosts of the ranks of `world`, of whose own host `host` has the ranks.
    init(_ world: Communicator, host: Communicator) throws {
        var first = [Int64(world.rank)]
        try first.withUnsafeMutableBufferPointer { try host.broadcast($0, from: 0) }
        var firsts = [Int64](repeating: 0, count: world.size)
        try first.withUnsafeBufferPointer { first in
            try firsts.withUnsafeMutableBufferPointer { try world.allGather(first, into: $0) }
        }
        self.init(firstRanks: firsts.map { Int($0) }, rank: world.rank)
    }

    /// The hosts of ranks of which each has a neighbour, the first one on its host.
    init(firstRanks: [Int], rank: Int) {
        let hosts = Set(firstRanks).sorted()
        hostOfRank = firstRanks.map { hosts.firstIndex(of: $0)! }
        ranks = hosts.map { host in firstRanks.indices.filter { firstRanks[$0] == host } }
        own = hostOfRank[rank]
    }

    /// Number of hosts.
    var count: Int { ranks.count }

    /// The ranks of this rank's host.
    var ownRanks: [Int] { ranks[own] }

    /// The other hosts.
    var others: [Int] { (0..<count).filter { $0 != own } }

    /// The rank that speaks for a host with a rank of another one: the work is shared out among the host's ranks.
    func speaker(of host: Int, for rank: Int) -> Int { ranks[host][rank % ranks[host].count] }

    /// The largest nodes of the slice tree whose slices are all on one host.
    func nodes(of host: Int, _ shares: RankShares) -> [Range<Int>] {
        var runs: [Range<Int>] = []
        for rank in ranks[host] {
            let run = shares.runs[rank]
            if let last = runs.last, last.upperBound == run.lowerBound {
                runs[runs.count - 1] = last.lowerBound..<run.upperBound
            } else {
                runs.append(run)
            }
        }
        return runs.flatMap { SliceTree.maximalNodes(covering: $0, of: shares.sliceCount) }
    }
}
