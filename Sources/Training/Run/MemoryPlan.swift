import Communication
import Foundation

/// What a run's memory goes to, known before it is used.
struct MemoryPlan {
    /// Name and bytes of each part on this rank.
    let parts: [(name: String, bytes: Int)]

    /// Bytes of all parts.
    var total: Int { parts.reduce(0) { $0 + $1.bytes } }

    /// Throws on all ranks where those of one host together need more than the host has left.
    func require(_ world: Communicator, host: Communicator, _ settings: RunSettings) throws {
        var all = [Int64](repeating: 0, count: host.size)
        try [Int64(total)].withUnsafeBufferPointer { mine in
            try all.withUnsafeMutableBufferPointer { try host.allGather(mine, into: $0) }
        }
        let needed = Int(all.reduce(0, +))
        // One rank speaks for its host.
        try world.agree { if host.rank == 0 { try require(needed, by: host.size, on: world.hostName, settings) } }
    }

    private func require(_ needed: Int, by rankCount: Int, on hostName: String, _ settings: RunSettings) throws {
        guard let available = FreeMemory(root: "/").bytes, needed > available else { return }
        let largest = parts.sorted { $0.bytes > $1.bytes }.prefix(3).map { "\($0.name) \(byteText($0.bytes))" }
        throw TrainingError(
            "the \(rankCount) ranks on \(hostName) need \(byteText(needed)) and \(byteText(available)) are free; "
                + "the largest parts of a rank are \(largest.joined(separator: ", ")); "
                + (settings.recomputes ? "" : "set `recompute: true`, ")
                + "raise `gradient_accumulation`, "
                + "lower `batch_size` or `max_length`, or use fewer ranks with more `threads`, or more hosts")
    }
}

/// Bytes in KiB, MiB or GiB.
func byteText(_ bytes: Int) -> String {
    let mebibytes = Double(bytes) / 1_048_576
    if bytes < 1_048_576 { return String(format: "%.0f KiB", mebibytes * 1024) }
    return mebibytes < 1024
        ? String(format: "%.0f MiB", mebibytes) : String(format: "%.2f GiB", mebibytes / 1024)
}
