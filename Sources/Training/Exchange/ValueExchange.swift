import Communication
import Kernels
import Model

/// Brings updated values from their owners to all hosts. Ranks of one host share them, so there nothing has to travel.
final class ValueExchange {
    private let world: Communicator
    private let model: MultiTaskModel
    private let ownerships: [Ownership]
    private let memory: HostMemory
    private let requests: Requests
    /// The ranks on other hosts that receive what this one owns, and the owners on other hosts from which this one receives.
    private let listeners, owners: [Int]
    /// Bytes of values that this rank has received so far.
    private(set) var receivedByteCount = 0

    init(_ world: Communicator, _ model: MultiTaskModel, _ ownerships: [Ownership], _ memory: HostMemory) {
        self.world = world
        self.model = model
        self.ownerships = ownerships
        self.memory = memory
        let hosts = memory.hosts
        listeners = hosts.others.map { hosts.speaker(of: $0, for: world.rank) }
        owners = (0..<world.size).filter {
            hosts.hostOfRank[$0] != hosts.own && hosts.speaker(of: hosts.own, for: $0) == world.rank
        }
        requests = Requests(capacity: max(1, ownerships.count * (listeners.count + owners.count)))
    }

    /// All values of the groups; after this every rank may read them.
    func gather(groups: some Sequence<Int>) throws {
        if memory.hosts.count > 1 {
            for group in groups {
                try exchange(tag: group, model.parameters.values) { ownerships[group].range(of: $0) }
            }
            try requests.waitAll()
        }
        try memory.synchronize()
    }

    /// The word embeddings that the batch at hand touches; others may be out of date on hosts of other owners.
    func gatherTouchedWords() throws {
        guard memory.hosts.count > 1 else { return }
        let words = model.wordGradient
        let values = model.encoder.wordEmbeddings.value
        let rows = words.buffer(0)  // free until the backward of this step
        for row in touchedRows(of: world.rank) {
            rows.row(row).update(from: values.row(Int(words.touched[row])), count: words.columns)
        }
        try exchange(tag: ParameterGroup.wordEmbeddings, rows.pointer) {
            let part = touchedRows(of: $0)
            return (part.lowerBound * words.columns)..<(part.upperBound * words.columns)
        }
        try requests.waitAll()
        for owner in owners {
            for row in touchedRows(of: owner) {
                values.row(Int(words.touched[row])).update(from: rows.row(row), count: words.columns)
            }
        }
        try memory.synchronize()
    }

    /// Starts to send what this rank owns of a buffer, and to receive what it receives for its host.
    private func exchange(tag: Int, _ buffer: UnsafeMutablePointer<Float>, part: (_ owner: Int) -> Range<Int>) throws {
        for owner in owners {
            let part = part(owner)
            if part.isEmpty { continue }
            let target = UnsafeMutableBufferPointer(start: buffer + part.lowerBound, count: part.count)
            try world.receive(into: target, from: owner, tag: tag, requests)
            receivedByteCount += 4 * part.count
        }
        let own = part(world.rank)
        if own.isEmpty { return }
        for listener in listeners {
            try world.send(
                UnsafeBufferPointer(start: buffer + own.lowerBound, count: own.count), to: listener, tag: tag, requests)
        }
    }

    private func touchedRows(of rank: Int) -> Range<Int> {
        let range = ownerships[ParameterGroup.wordEmbeddings].range(of: rank)
        let columns = model.wordGradient.columns
        return model.wordGradient.touchedRows(from: range.lowerBound / columns, below: range.upperBound / columns)
    }
}
