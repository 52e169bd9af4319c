import Foundation

/// Whether this process was asked to stop by SIGTERM, SIGINT or SIGUSR1. The step at hand is finished and a checkpoint written first.
enum StopRequest {
    /// Exit code of a job that stopped because it was asked to: start it again to go on (`EX_TEMPFAIL` of sysexits.h).
    static let exitCode: Int32 = 75

    nonisolated(unsafe) private static var asked: sig_atomic_t = 0

    /// Takes note of the signals from here on.
    static func listen() {
        for number in [SIGTERM, SIGINT, SIGUSR1] { signal(number) { _ in StopRequest.asked = 1 } }
    }

    /// Whether one came.
    static var isAsked: Bool { asked != 0 }
}
