import Foundation

/// A rank that a signal ended: whoever sends SIGKILL leaves it no time for a word of its own.
public struct RankDeath: Equatable, Sendable {
    /// The rank's number.
    let rank: Int
    /// The machine that it ran on.
    let host: String
    /// The signal's number, and its name where there is one.
    let signal: String

    /// Reads the sentence with which mpirun names the first rank that a signal ended; nil for any other line.
    public init?(line: some StringProtocol) {
        let form = /noticed that process rank (\d+) with PID \d+ on node (\S+) exited on signal (\d+(?: \([^)]*\))?)\./
        guard let found = String(line).firstMatch(of: form), let rank = Int(found.1) else { return nil }
        self.rank = rank
        host = String(found.2)
        signal = String(found.3)
    }

    /// One sentence that names the rank and where it was, as its last record in the run folder says.
    public func description(runFolder: String) -> String {
        let record = RankRecord(rank: rank, path: RankRecord.path(rank: rank, inRun: runFolder))
        let place = record.map { ": step \($0.step), \($0.phase)" } ?? ""
        let isKill = signal.prefix { $0.isNumber } == "\(SIGKILL)"
        let senders = isKill ? ", which a kernel without free memory, a batch system or a person may send" : ""
        return "rank \(rank) on \(host)\(place): ended by signal \(signal)\(senders)"
    }
}
