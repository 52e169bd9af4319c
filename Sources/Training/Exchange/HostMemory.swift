import Communication
import Model

/// The memory that the ranks of one host share: one copy of all values, and each rank's gradient sums, which owners read where they are.
///
/// Values are written by their owners only, between the step's last look at them and `synchronize`. Where the system's shared memory is too
/// small every rank is a host of its own, and all goes by messages.
package final class HostMemory {
    let hosts: Hosts
    /// Whether the host's ranks share memory: false where its shared memory is too small.
    let isShared: Bool
    private let host: Communicator
    private let sizes: ParameterSizes
    private let valueWindow, gradientWindow: SharedWindow
    private let gradientStart: Int

    /// Room for the values of a host and the gradients of its ranks.
    /// - Parameter host: the ranks of `world` that share memory with this one.
    init(_ world: Communicator, host: Communicator, _ sizes: ParameterSizes) throws {
        let floats = sizes.bufferCount * HostMemory.bufferFloats(sizes)
        let bytes = 4 * (floats + (host.rank == 0 ? sizes.values : 0))
        isShared = try SharedWindow.hasSpace(for: bytes + HostMemory.reserve, on: host)
        let host = isShared ? host : try host.split(by: host.rank)
        hosts = try Hosts(world, host: host)
        valueWindow = try SharedWindow(on: host, byteCount: host.rank == 0 ? 4 * sizes.values : 0)
        gradientWindow = try SharedWindow(on: host, byteCount: 4 * floats)
        gradientStart = sizes.values - sizes.gradients
        self.host = host
        self.sizes = sizes
        if isFirstOfHost { values.initialize(repeating: 0, count: sizes.values) }
        try synchronize()
    }

    /// A model whose values and gradients lie in the memory that the ranks of a host share.
    package static func makeModel(
        _ world: Communicator, host: Communicator, encoder sizes: EncoderSizes, heads: [HeadDefinition],
        dropout: Float, recomputes: Bool = false, _ plan: RunPlan
    ) throws -> (MultiTaskModel, HostMemory) {
        var memory: HostMemory?
        let model = try MultiTaskModel(
            encoder: sizes, heads: heads, dropout: .init(hidden: dropout, attention: dropout), capacity: plan.capacity,
            gradientBuffers: plan.trees.reduce(0) { $0 + $1.subtrees.count }, touchedWords: plan.touchedWords,
            recomputes: recomputes
        ) { sizes in
            let made = try HostMemory(world, host: host, sizes)
            memory = made
            return made.parameters
        }
        return (model, memory!)
    }

    /// Whether this rank gives the host's values what they begin with.
    var isFirstOfHost: Bool { host.rank == 0 }

    /// Bytes of the host's values, divided among its ranks.
    var valueByteShare: Int { 4 * sizes.values / host.size }

    /// Bytes of this rank's gradients.
    var gradientByteCount: Int { 4 * sizes.bufferCount * HostMemory.bufferFloats(sizes) }

    /// Bytes for a rank's messages that MPI itself keeps in shared memory.
    private static let reserve = 4 << 20

    /// A buffer of gradients, then one of touched word embeddings.
    private static func bufferFloats(_ sizes: ParameterSizes) -> Int { sizes.gradients + sizes.wordGradients }

    /// Waits for the host's ranks; what each wrote before, all read afterwards.
    func synchronize() throws {
        try valueWindow.synchronize()
    }

    /// All values in the flat layout.
    var values: UnsafeMutablePointer<Float> {
        valueWindow.pointer(ofRank: 0).bindMemory(to: Float.self, capacity: sizes.values)
    }

    /// The gradient sum of a subtree of a rank of this host, addressed in the flat layout; valid from the second group on.
    func gradients(ofRank rank: Int, subtree: Int) -> UnsafeMutablePointer<Float> {
        buffer(ofRank: rank, subtree: subtree) - gradientStart
    }

    /// The gradient sum of touched word embeddings of a subtree of a rank of this host.
    func wordGradients(ofRank rank: Int, subtree: Int) -> UnsafeMutablePointer<Float> {
        buffer(ofRank: rank, subtree: subtree) + sizes.gradients
    }

    private func buffer(ofRank rank: Int, subtree: Int) -> UnsafeMutablePointer<Float> {
        let part = gradientWindow.pointer(ofRank: hosts.ownRanks.firstIndex(of: rank)!)
        return part.bindMemory(to: Float.self, capacity: 1) + subtree * HostMemory.bufferFloats(sizes)
    }

    /// What a model of this rank lies in.
    var parameters: ParameterMemory {
        let rank = hosts.ownRanks[host.rank]
        return ParameterMemory(
            values: values,
            gradients: (0..<sizes.bufferCount).map { gradients(ofRank: rank, subtree: $0) + gradientStart },
            wordGradients: (0..<sizes.bufferCount).map { wordGradients(ofRank: rank, subtree: $0) }, owner: self)
    }
}
