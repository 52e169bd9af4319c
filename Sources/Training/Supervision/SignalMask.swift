import Foundation

/// The signals that this thread does not hear; what it starts or becomes inherits that.
public enum SignalMask {
    /// Those at which Open MPI's programs kill their ranks. Batch systems send them to every process of a job, and the ranks are about to write a
    /// checkpoint then. Open MPI lets ranks hear all signals again.
    public static let killingRanks = [SIGINT, SIGTERM]

    /// Hears these no more.
    public static func block(_ numbers: [Int32]) { set(SIG_BLOCK, numbers) }

    /// Hears all again.
    public static func clear() { set(SIG_SETMASK, []) }

    /// Hears these not while `body` runs, and all after it.
    public static func with(_ numbers: [Int32], _ body: () throws -> Void) rethrows {
        block(numbers)
        defer { clear() }
        try body()
    }

    private static func set(_ how: Int32, _ numbers: [Int32]) {
        var signals = sigset_t()
        sigemptyset(&signals)
        for number in numbers { sigaddset(&signals, number) }
        pthread_sigmask(how, &signals, nil)
    }
}
