import Foundation
import Training

/// Keeps a job going: holds the run folder's lock, starts mpirun again when the job has died, clears up behind it.
struct Supervisor {
    /// Starts one job.
    let launcher: Launcher
    /// The run's settings.
    let settings: RunSettings

    /// Trains until the job has ended for good; returns the exit code.
    /// - Parameter prepare: what is to be done in the run folder before, while nobody else may write there.
    func run(prepare: () throws -> Void = {}) throws -> Int32 {
        // Ctrl-C also ends the `tee` that this program may write to.
        signal(SIGPIPE, SIG_IGN)
        let lock = try RunLock(folder: settings.folder, report: Supervisor.say)
        try JobOutcome.removeAll(folder: settings.folder)
        try prepare()
        let signals = StopSignals.ofProgram
        defer { signals.onFirst {} }
        signals.onFirst {
            Supervisor.say(
                "asked to stop after this step, with a checkpoint; one more signal, a second later, ends the job at once"
            )
            do { try lock.noteStopping() } catch { Supervisor.say("\(error)") }
        }
        var restarts = Restarts(settings)
        while true {
            let (code, hasBegun) = try runOnce(lock, signals)
            if signals.wasAsked, JobExit.mayBeCured(code) {
                Supervisor.say(
                    "the job was ended with code \(code); the same command goes on from the newest checkpoint"
                )
                try lock.release()
                return JobExit.stopped
            }
            switch try restarts.decide(code, hasBegun: hasBegun) {
            case .restart(let sentence): Supervisor.say(sentence)
            case .end(let code, let sentence):
                if let sentence { Supervisor.say(sentence) }
                try lock.release()
                return code
            }
        }
    }

    private func runOnce(_ lock: RunLock, _ signals: StopSignals) throws -> (code: Int32, hasBegun: Bool) {
        let temporaries = JobTemporaries()
        // Noted before it is there, so that it is never there without a note.
        try lock.note(temporary: temporaries.path)
        let outcome = JobOutcome(folder: settings.folder, job: temporaries.job)
        outcome.reserve()
        var launcher = launcher
        launcher.workerArguments += ["--outcome", outcome.path]
        try RankRecord.removeAll(ofRun: settings.folder)
        let errors = PassedErrors()
        launcher.errors = errors
        let status = try launcher.run(temporaries, signals)
        // Ranks outlive an mpirun that was killed by a moment.
        try lock.waitForRanks(report: Supervisor.say)
        if let death = errors.firstDeath() { Supervisor.say(death.description(runFolder: settings.folder)) }
        let end = try outcome.take(status: status)
        try temporaries.remove()
        try lock.note(temporary: nil)
        return end
    }

    /// Says a sentence on standard error.
    static func say(_ sentence: String) {
        StandardStream.error.say("mtdnn: \(sentence)")
    }
}
