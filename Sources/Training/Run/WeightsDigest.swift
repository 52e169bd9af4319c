import Communication
import Model
import Storage

/// SHA-256 sums over a run's weights and optimizer moments, which tell whether two runs ended alike, bit for bit.
package struct WeightsDigest: Equatable {
    /// Over the values of all parameters in the flat layout.
    package let parameters: String
    /// Over all first moments and then all second ones, each in the flat layout.
    package let moments: String

    /// Sums up on the first rank, to which the others send the moments that they own; nil on the others.
    init?(
        _ world: Communicator, _ parameters: Parameters, _ optimizer: Optimizer, _ ownerships: [Ownership]
    ) throws {
        var relay = Relay(world)
        for moment in [\Optimizer.OwnedPiece.first, \.second] {
            for (group, ownership) in ownerships.enumerated() {
                for rank in 0..<world.size {
                    for (index, piece) in ownership.pieces(of: rank).enumerated() {
                        let own = world.rank == rank ? optimizer.owned[group][index][keyPath: moment] : nil
                        try relay.add(own, count: piece.range.count, from: rank)
                    }
                }
            }
        }
        guard world.rank == 0 else { return nil }
        self.parameters = Checksum.sha256(
            of: UnsafeRawBufferPointer(start: parameters.values, count: 4 * parameters.count))
        moments = relay.checksum.text
    }

    /// Hands numbers of any rank over to the first one, which adds them to a sum.
    private struct Relay {
        private static let chunk = 1 << 18
        private let world: Communicator
        private let requests = Requests(capacity: 1)
        private var staging = [Float](repeating: 0, count: chunk)
        private(set) var checksum = Checksum.Running()

        init(_ world: Communicator) { self.world = world }

        /// Adds `count` numbers of rank `owner`, which gives their place.
        mutating func add(_ own: UnsafeMutablePointer<Float>?, count: Int, from owner: Int) throws {
            for start in stride(from: 0, to: count, by: Relay.chunk) {
                let size = min(Relay.chunk, count - start)
                if let own {
                    let part = UnsafeBufferPointer(start: own + start, count: size)
                    if owner == 0 {
                        checksum.add(UnsafeRawBufferPointer(part))
                    } else {
                        try world.send(part, to: 0, tag: 0, requests)
                        try requests.waitAll()
                    }
                } else if world.rank == 0 {
                    try staging.withUnsafeMutableBufferPointer { buffer in
                        let part = UnsafeMutableBufferPointer(rebasing: buffer[..<size])
                        try world.receive(into: part, from: owner, tag: 0, requests)
                        try requests.waitAll()
                        checksum.add(UnsafeRawBufferPointer(part))
                    }
                }
            }
        }
    }
}
