import Foundation

/// Ctrl-C and the like ask all ranks, through mpirun, to finish their step and write a checkpoint; a second one ends the job at once.
///
/// mpirun runs in a process group of its own, which Ctrl-C does not reach: on SIGINT it would kill the ranks.
final class StopSignals: @unchecked Sendable {  // everything changes on `queue` only
    private let queue = DispatchQueue(label: "signals")
    private var sources: [any DispatchSourceSignal] = []
    private var process: Process?
    private var count = 0
    private let report: @Sendable () -> Void

    /// Takes the signals over from here on.
    /// - Parameter report: called at the first signal.
    init(report: @escaping @Sendable () -> Void) {
        self.report = report
        // Whoever started this program may have blocked them, and mpirun would inherit that.
        var none = sigset_t()
        sigemptyset(&none)
        sigprocmask(SIG_SETMASK, &none, nil)
        sources = [SIGINT, SIGTERM, SIGHUP, SIGUSR1].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler { [unowned self] in
                count += 1
                if count == 1 { report() }
                pass()
            }
            source.resume()
            return source
        }
    }

    /// Whether one came.
    var wasAsked: Bool { queue.sync { count > 0 } }

    /// Passes signals on to this mpirun from here on, also one that has come already.
    func follow(_ process: Process?) {
        queue.sync {
            self.process = process
            if count > 0 { pass() }
        }
    }

    private func pass() {
        guard let process, process.isRunning else { return }
        kill(process.processIdentifier, count == 1 ? SIGUSR1 : SIGTERM)
    }
}
