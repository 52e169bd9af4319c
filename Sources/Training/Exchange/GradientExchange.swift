import Communication
import Kernels
import Model

/// Brings the gradients of the active groups to their owners, summed over slices and ranks.
///
/// Owners read the sums of the ranks of their own host where they lie. A host sums what its ranks hold up the slice tree as far as
/// it can before it sends that to owners on other hosts. Of the word embeddings only touched rows count, of the heads only the active one.
final class GradientExchange {
    private let world: Communicator
    private let model: MultiTaskModel
    private let ownerships: [Ownership]
    private let memory: HostMemory
    private let requests: Requests
    /// The tree from the nodes of this host's ranks and those of other hosts to the whole batch.
    private let tree: SumTree
    private let leaves: [Leaf]
    /// The trees from the nodes of this host's ranks to the nodes that the host sends.
    private let hostNodes: [HostNode]
    /// Owners on other hosts for which this rank speaks.
    private let served: [Int]
    private let received, sent: FloatBuffer
    private var receivedCount = 0
    private var sentCount = 0
    /// Bytes of gradients that this rank has taken from others so far, out of their memory or by messages.
    private(set) var takenByteCount = 0

    /// A sum that an owner adds up.
    private enum Leaf {
        case rank(RankShares.Node)
        case host(Int, slices: Range<Int>)
    }

    private struct HostNode {
        let slices: Range<Int>
        let ranks: [RankShares.Node]
        let tree: SumTree
    }

    /// - Parameter ownerships: of all groups, as `ParameterGroup` numbers them.
    init(
        _ world: Communicator, _ model: MultiTaskModel, _ ownerships: [Ownership], _ shares: RankShares,
        _ memory: HostMemory
    ) {
        self.world = world
        self.model = model
        self.ownerships = ownerships
        self.memory = memory
        let hosts = memory.hosts
        let ownNodes = shares.nodes.filter { hosts.hostOfRank[$0.rank] == hosts.own }
        var leaves = ownNodes.map { (slices: $0.slices, leaf: Leaf.rank($0)) }
        for host in hosts.others {
            leaves += hosts.nodes(of: host, shares).map { ($0, .host(host, slices: $0)) }
        }
        leaves.sort { $0.slices.lowerBound < $1.slices.lowerBound }
        self.leaves = leaves.map(\.leaf)
        tree = SumTree(root: 0..<shares.sliceCount, leaves: leaves.map(\.slices))
        hostNodes =
            hosts.count == 1
            ? []
            : hosts.nodes(of: hosts.own, shares).map { node in
                let ranks = ownNodes.filter { node.contains($0.slices.lowerBound) }
                return HostNode(slices: node, ranks: ranks, tree: SumTree(root: node, leaves: ranks.map(\.slices)))
            }
        served = (0..<world.size).filter {
            hosts.hostOfRank[$0] != hosts.own && hosts.speaker(of: hosts.own, for: $0) == world.rank
        }
        let arriving = leaves.count - ownNodes.count
        let groupsAtOnce = 4
        requests = Requests(capacity: max(1, groupsAtOnce * (arriving + served.count * hostNodes.count)))
        func largest(_ owner: Int) -> Int {
            let words = min(
                ownerships[ParameterGroup.wordEmbeddings].range(of: owner).count,
                model.wordGradient.capacity * model.wordGradient.columns)
            let counts = ownerships.map { $0.range(of: owner).count }
            // One head at a time is active.
            let head = counts.dropFirst(ParameterGroup.firstHead).max() ?? 0
            return words + counts[ParameterGroup.encoder] + counts[ParameterGroup.pooler] + head
        }
        received = FloatBuffer(count: arriving * largest(world.rank))
        sent = FloatBuffer(count: hostNodes.count * served.reduce(0) { $0 + largest($1) })
    }

    /// Bytes of the buffers for messages.
    var byteCount: Int { received.byteCount + sent.byteCount }

    /// After this, `ownedSegment` of each active group holds the sum over the global batch.
    func exchange(activeGroups: [Bool]) throws {
        try memory.synchronize()
        if memory.hosts.count > 1 { try exchangeMessages(activeGroups) }
        receivedCount = 0
        for group in 0..<ownerships.count where activeGroups[group] { sumOwned(group) }
    }

    /// The sums of what this rank owns of a group.
    func ownedSegment(_ group: Int) -> UnsafeMutableBufferPointer<Float> {
        segment(group, owner: world.rank, rank: world.rank, subtree: 0)
    }

    /// An owner's part of the gradient sum of a subtree of a rank of this host.
    private func segment(_ group: Int, owner: Int, rank: Int, subtree: Int) -> UnsafeMutableBufferPointer<Float> {
        let range = ownerships[group].range(of: owner)
        guard group == ParameterGroup.wordEmbeddings else {
            return UnsafeMutableBufferPointer(
                start: memory.gradients(ofRank: rank, subtree: subtree) + range.lowerBound, count: range.count)
        }
        let words = model.wordGradient
        let rows = words.touchedRows(from: range.lowerBound / words.columns, below: range.upperBound / words.columns)
        return UnsafeMutableBufferPointer(
            start: memory.wordGradients(ofRank: rank, subtree: subtree) + rows.lowerBound * words.columns,
            count: rows.count * words.columns)
    }

    private func exchangeMessages(_ activeGroups: [Bool]) throws {
        receivedCount = 0
        sentCount = 0
        for group in 0..<ownerships.count where activeGroups[group] {
            let count = ownedSegment(group).count
            for case .host(let host, let slices) in leaves {
                let buffer = arrived(count)
                let source = memory.hosts.speaker(of: host, for: world.rank)
                if count > 0 { try world.receive(into: buffer, from: source, tag: tag(group, slices), requests) }
            }
        }
        for group in 0..<ownerships.count where activeGroups[group] {
            for owner in served {
                for node in hostNodes {
                    let sum = sumOfHost(node, group, owner: owner)
                    if !sum.isEmpty { try world.send(sum, to: owner, tag: tag(group, node.slices), requests) }
                }
            }
        }
        try requests.waitAll()
    }

    /// What this host holds of an owner's part of a node: one rank's sum where it lies, or the sum of several.
    private func sumOfHost(_ node: HostNode, _ group: Int, owner: Int) -> UnsafeBufferPointer<Float> {
        var count = 0
        for (index, rank) in node.ranks.enumerated() {
            let source = segment(group, owner: owner, rank: rank.rank, subtree: rank.subtree)
            node.tree.sources[index] = UnsafePointer(source.baseAddress)
            count = source.count
            if rank.rank != world.rank { takenByteCount += 4 * count }
        }
        guard count > 0 else { return UnsafeBufferPointer(start: nil, count: 0) }
        if node.ranks.count == 1 { return UnsafeBufferPointer(start: node.tree.sources[0], count: count) }
        precondition(sentCount + count <= sent.count)
        let sum = sent.pointer + sentCount
        sentCount += count
        node.tree.sum(count: count, into: sum)
        return UnsafeBufferPointer(start: sum, count: count)
    }

    private func sumOwned(_ group: Int) {
        let owned = ownedSegment(group)
        for (index, leaf) in leaves.enumerated() {
            switch leaf {
            case .rank(let node):
                let source = segment(group, owner: world.rank, rank: node.rank, subtree: node.subtree)
                tree.sources[index] = UnsafePointer(source.baseAddress)
                if node.rank != world.rank { takenByteCount += 4 * owned.count }
            case .host:
                tree.sources[index] = UnsafePointer(arrived(owned.count).baseAddress)
                takenByteCount += 4 * owned.count
            }
        }
        if let destination = owned.baseAddress, !owned.isEmpty { tree.sum(count: owned.count, into: destination) }
    }

    /// The next `count` floats of what arrives: called in the same order when receiving and when summing.
    private func arrived(_ count: Int) -> UnsafeMutableBufferPointer<Float> {
        precondition(receivedCount + count <= received.count)
        defer { receivedCount += count }
        return UnsafeMutableBufferPointer(start: received.pointer + receivedCount, count: count)
    }

    private func tag(_ group: Int, _ slices: Range<Int>) -> Int { group << 11 | slices.lowerBound }
}
