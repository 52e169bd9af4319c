import Foundation
import Storage
import Synchronization
import Training

/// What mpirun and the ranks say on standard error: passed on as it comes, and looked through for a rank that a signal ended.
final class PassedErrors: Sendable {
    /// The child's standard error.
    let pipe = Pipe()
    private let death = Mutex<RankDeath?>(nil)
    private let isWhole = DispatchSemaphore(value: 0)

    /// Begins to read. Called where the child is about to start.
    func read() {
        Thread.detachNewThread { [self] in
            var rest = Data()
            while case let bytes = pipe.fileHandleForReading.availableData, !bytes.isEmpty {
                _ = bytes.withUnsafeBytes { Storage.write($0, to: STDERR_FILENO) }
                rest += bytes
                while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                    note(String(decoding: rest[..<end], as: UTF8.self))
                    rest = Data(rest[(end + 1)...])
                }
            }
            isWhole.signal()
        }
    }

    /// The first rank that a signal ended, if one did. Called once, when the child has ended.
    func firstDeath() -> RankDeath? {
        // What the child started on other hosts may hold the pipe open for longer.
        _ = isWhole.wait(timeout: .now() + 2)
        return death.withLock { $0 }
    }

    private func note(_ line: String) {
        guard let found = RankDeath(line: line) else { return }
        death.withLock { $0 = $0 ?? found }
    }
}
