import Foundation
import Training

/// Ctrl-C and the like ask all ranks, through mpirun, to finish their step and write a checkpoint; a second one ends the job at once.
/// What comes within a second is no second one: `timeout` signals a program and then its group, batch systems every process and then the script.
///
/// mpirun would kill the ranks on SIGINT or SIGTERM. So it runs in a process group of its own, which Ctrl-C does not reach, and is deaf to both,
/// which batch systems send to all processes of a job at once.
///
/// There is one for the whole program: a signal between two jobs of a sweep stops the next one, and a second set of handlers would not be called.
final class StopSignals: @unchecked Sendable {  // everything changes on `queue` only
    /// Takes the signals over from its first use on.
    static let ofProgram = StopSignals()

    private static let numbers = [SIGINT, SIGTERM, SIGHUP, SIGUSR1]
    private let queue = DispatchQueue(label: "signals")
    private var sources: [any DispatchSourceProtocol] = []
    private var process: Process?
    private var count = 0
    /// When the first one came.
    private var first = DispatchTime.distantFuture
    private var report: @Sendable () -> Void = {}

    private init() {
        // What comes before the handlers are there waits for them.
        SignalMask.block(StopSignals.numbers)
        let registered = DispatchSemaphore(value: 0)
        for number in StopSignals.numbers {
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler { [unowned self] in receive() }
            source.setRegistrationHandler { registered.signal() }
            source.resume()
            sources.append(source)
        }
        for _ in StopSignals.numbers { registered.wait() }
        // mpirun drops what it is to pass on before it has ranks, so the wish is repeated until the job ends.
        let timer = DispatchSource.makeTimerSource(queue: queue)
        timer.schedule(deadline: .now() + 2, repeating: 2)
        timer.setEventHandler { [unowned self] in if count == 1 { pass() } }
        timer.resume()
        sources.append(timer)
        // Whoever started this program may have blocked others, and mpirun would inherit that.
        SignalMask.clear()
    }

    /// Whether one came.
    var wasAsked: Bool { queue.sync { count > 0 } }

    /// Lets signals end this program at once again, where no job is to come any more.
    func letGo() {
        queue.sync {
            for source in sources { source.cancel() }
            sources = []
        }
        for number in StopSignals.numbers { signal(number, SIG_DFL) }
    }

    /// Calls `report` at the first signal, or at once where it has come.
    func onFirst(_ report: @escaping @Sendable () -> Void) {
        let hasCome = queue.sync {
            self.report = report
            return count > 0
        }
        if hasCome { report() }
    }

    /// Runs mpirun to its end and passes signals on to it, also one that has come already.
    func run(_ process: Process) throws {
        try SignalMask.with(SignalMask.killingRanks) { try process.run() }
        follow(process)
        process.waitUntilExit()
        follow(nil)
    }

    private func follow(_ process: Process?) {
        queue.sync {
            self.process = process
            if count > 0 { pass() }
        }
    }

    private func receive() {
        if count == 0 {
            first = .now()
            count = 1
            report()
        } else if .now() >= first + .seconds(1) {
            count += 1
        } else {
            return
        }
        pass()
    }

    private func pass() {
        guard let process, process.isRunning else { return }
        kill(process.processIdentifier, count == 1 ? SIGUSR1 : SIGHUP)
        // One that was suspended would not hear it. Others are left alone: mpirun would pass it on.
        if isSuspended(process) { kill(process.processIdentifier, SIGCONT) }
    }

    /// Whether a process was stopped by a signal, where the system says so.
    private func isSuspended(_ process: Process) -> Bool {
        guard let status = FileManager.default.contents(atPath: "/proc/\(process.processIdentifier)/stat") else {
            return false
        }
        // The state follows the name, which stands in parentheses and may hold some itself.
        return String(decoding: status, as: UTF8.self).components(separatedBy: ") ").last?.hasPrefix("T") == true
    }
}
