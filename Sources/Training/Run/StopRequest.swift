import Communication
import Foundation

/// Whether this process was asked to stop by SIGTERM, SIGINT or SIGUSR1. The step at hand is finished and a checkpoint written first.
public enum StopRequest {
    nonisolated(unsafe) private static var asked: sig_atomic_t = 0

    /// Takes note of the signals from here on.
    public static func listen() {
        for number in [SIGTERM, SIGINT, SIGUSR1] { signal(number) { _ in StopRequest.asked = 1 } }
    }

    /// Asks for the same when the standard input ends. mpirun passes on to the first rank that of `mtdnn`'s making, so this says that `mtdnn`
    /// is gone, whatever ended it.
    static func followStandardInput() {
        Thread.detachNewThread {
            var byte: UInt8 = 0
            while true {
                let count = read(STDIN_FILENO, &byte, 1)
                if count == 0 || count == -1 && errno != EINTR { break }
            }
            kill(getpid(), SIGUSR1)
        }
    }

    /// Whether one came.
    static var isAsked: Bool { asked != 0 }

    /// Throws where one came before there is anything to save.
    static func endBeforeTraining() throws {
        guard isAsked else { return }
        throw SharedError(
            "asked to stop before a step was taken; the same command goes on", exitCode: JobExit.stopped)
    }
}
