import Communication
import Kernels
import Model

/// Brings the gradients of the active groups to their owners, summed over slices and ranks.
///
/// Each rank sends every owner its sums of what that one owns, one for each of its subtrees; the owner adds them up along the slice
/// tree. Of the word embeddings only touched rows travel, of the heads only the active one.
final class GradientExchange {
    private let world: Communicator
    private let model: MultiTaskModel
    private let ownerships: [Ownership]
    private let shares: RankShares
    private let tree: SumTree
    private let requests: Requests
    private let staging: FloatBuffer
    private var stagingCount = 0
    /// Bytes that this rank has sent so far.
    private(set) var sentByteCount = 0

    /// - Parameter ownerships: of all groups, in the order of the flat layout; the first is the word embeddings'.
    init(_ world: Communicator, _ model: MultiTaskModel, _ ownerships: [Ownership], _ shares: RankShares) {
        self.world = world
        self.model = model
        self.ownerships = ownerships
        self.shares = shares
        tree = SumTree(shares)
        let ownSubtrees = shares.nodes.count { $0.rank == world.rank }
        let others = shares.nodes.count - ownSubtrees
        requests = Requests(capacity: max(1, 4 * (others + ownSubtrees * (world.size - 1))))
        let words = min(
            ownerships[0].range(of: world.rank).count, model.wordGradient.capacity * model.wordGradient.columns)
        let heads = ownerships.dropFirst(3).map { $0.range(of: world.rank).count }.max() ?? 0
        let rest = ownerships[1...2].reduce(0) { $0 + $1.range(of: world.rank).count }
        staging = FloatBuffer(count: others * (words + rest + heads))
    }

    /// Bytes of the staging buffer.
    var byteCount: Int { staging.byteCount }

    /// After this, `ownedSegment` of each active group holds the sum over the global batch.
    func exchange(activeGroups: [Bool]) throws {
        stagingCount = 0
        for group in 0..<ownerships.count where activeGroups[group] { try startMessages(group) }
        try requests.waitAll()
        stagingCount = 0
        for group in 0..<ownerships.count where activeGroups[group] { sumOwned(group) }
    }

    /// The sums of what this rank owns of a group.
    func ownedSegment(_ group: Int) -> UnsafeMutableBufferPointer<Float> {
        segment(group, owner: world.rank, subtree: 0)
    }

    /// A rank's part of the gradient sum of one of this rank's subtrees.
    private func segment(_ group: Int, owner: Int, subtree: Int) -> UnsafeMutableBufferPointer<Float> {
        let range = ownerships[group].range(of: owner)
        guard group == 0 else {
            return UnsafeMutableBufferPointer(
                start: model.parameters.gradients(subtree) + range.lowerBound, count: range.count)
        }
        let words = model.wordGradient
        let rows = words.touchedRows(from: range.lowerBound / words.columns, below: range.upperBound / words.columns)
        return UnsafeMutableBufferPointer(
            start: words.buffer(subtree).pointer + rows.lowerBound * words.columns, count: rows.count * words.columns)
    }

    private func startMessages(_ group: Int) throws {
        let count = ownedSegment(group).count
        for node in shares.nodes {
            if node.rank != world.rank {
                let buffer = stage(count)
                if count > 0 { try world.receive(into: buffer, from: node.rank, tag: tag(group, node), requests) }
            } else {
                for owner in 0..<world.size where owner != world.rank {
                    let part = segment(group, owner: owner, subtree: node.subtree)
                    if part.isEmpty { continue }
                    try world.send(UnsafeBufferPointer(part), to: owner, tag: tag(group, node), requests)
                    sentByteCount += 4 * part.count
                }
            }
        }
    }

    private func sumOwned(_ group: Int) {
        let owned = ownedSegment(group)
        for (index, node) in shares.nodes.enumerated() {
            let source =
                node.rank == world.rank
                ? segment(group, owner: world.rank, subtree: node.subtree) : stage(owned.count)
            tree.sources[index] = UnsafePointer(source.baseAddress)
        }
        if let destination = owned.baseAddress, !owned.isEmpty { tree.sum(count: owned.count, into: destination) }
    }

    /// The next `count` floats of the staging buffer: called in the same order when receiving and when summing.
    private func stage(_ count: Int) -> UnsafeMutableBufferPointer<Float> {
        precondition(stagingCount + count <= staging.count)
        defer { stagingCount += count }
        return UnsafeMutableBufferPointer(start: staging.pointer + stagingCount, count: count)
    }

    private func tag(_ group: Int, _ node: RankShares.Node) -> Int { group * shares.sliceCount + node.subtree }
}
