import Foundation

/// Work on a thread of its own, for writing files while training goes on: it never calls MPI.
final class BackgroundWork<Value: Sendable>: @unchecked Sendable {  // `result` is read and written under `condition`
    private let condition = NSCondition()
    private var result: Result<Value, any Error>?

    /// Starts `body`.
    init(_ body: @escaping @Sendable () throws -> Value) {
        Thread.detachNewThread { [self] in
            giveWay()
            let outcome = Result { try body() }
            condition.lock()
            result = outcome
            condition.broadcast()
            condition.unlock()
        }
    }

    /// Whether the work has ended, well or not.
    var isEnded: Bool {
        condition.lock()
        defer { condition.unlock() }
        return result != nil
    }

    /// Waits for the end of the work; returns or throws what it did.
    func wait() throws -> Value {
        condition.lock()
        defer { condition.unlock() }
        while true {
            if let result { return try result.get() }
            condition.wait()
        }
    }
}

/// Lowers the priority of this thread: it has the core of a rank that trains, whose steps all others wait for.
private func giveWay() {
    #if os(Linux)
        // Linux takes this for the calling thread alone. Where it is not allowed, steps take a little longer.
        _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 10)
    #else
        Thread.current.qualityOfService = .utility
    #endif
}
