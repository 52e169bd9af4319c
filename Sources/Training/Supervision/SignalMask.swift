import Foundation

/// The signals that this thread does not hear; what it starts or becomes inherits that.
public enum SignalMask {
    /// Those at which Open MPI's programs kill their ranks. Batch systems send them to every process of a job, and the ranks are about to write a
    /// checkpoint then. Open MPI lets ranks hear all signals again.
    public static let killingRanks = [SIGINT, SIGTERM]

    /// Hears these no more.
    public static func block(_ numbers: [Int32]) {
        var signals = sigset_t()
        sigemptyset(&signals)
        for number in numbers { sigaddset(&signals, number) }
        pthread_sigmask(SIG_BLOCK, &signals, nil)
    }

    /// Hears all again.
    public static func clear() {
        var none = sigset_t()
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, nil)
    }
}
