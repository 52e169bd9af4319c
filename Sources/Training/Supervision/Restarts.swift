import Foundation

/// Decides whether a job that ended is started again.
public struct Restarts {
    /// What to do next.
    public enum Decision: Equatable, Sendable {
        /// Start it again, with a sentence for the user.
        case restart(String)
        /// Leave it at that, with a sentence for the user where there is more to say than the job's own words.
        case end(Int32, String?)
    }

    private let limit: Int
    private let metrics: String
    private var count = 0
    /// The step after which the last restart died.
    private var lastStep: Int?

    /// For a run with `settings`.
    public init(_ settings: RunSettings) {
        limit = settings.maximumRestarts
        metrics = "\(settings.folder)/metrics.jsonl"
    }

    /// What to do about a job that ended with `code`.
    /// - Parameter hasBegun: whether its ranks ever met. Where those of a first job did not, mpirun will not start the next one's either.
    public mutating func decide(_ code: Int32, hasBegun: Bool) throws -> Decision {
        guard JobExit.mayBeCured(code) else {
            let isSaid = [JobExit.finished, JobExit.stopped].contains(code)
            return .end(code, isSaid ? nil : "the job ended with code \(code); the reason stands above")
        }
        guard hasBegun || count > 0 else {
            return .end(code, "no rank began to train (exit code \(code)); the reason stands above")
        }
        let step = try RunLog.lastStep(path: metrics)
        let death = "the job died after step \(step) (exit code \(code))"
        if count > 0, step == lastStep {
            return .end(
                JobExit.givenUp,
                "\(death), as the restart before: given up; the reason stands above, and the same command goes on from the newest checkpoint"
            )
        }
        guard count < limit else {
            let reason = limit == 0 ? "`max_restarts` is 0" : "this was restart \(count) of `max_restarts: \(limit)`"
            return .end(
                JobExit.givenUp,
                "\(death); \(reason): given up; the reason stands above, and the same command goes on from the newest checkpoint"
            )
        }
        if count > 0 { lastStep = step }
        count += 1
        return .restart("\(death); restart \(count) of \(limit), from the newest whole checkpoint")
    }
}
