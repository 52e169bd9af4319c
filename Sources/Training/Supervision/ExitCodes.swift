import Communication
import Data

/// The exit codes of both programs, as far as they have a meaning (those of `sysexits.h`). A run that ends with any other may be cured by
/// starting it again.
public enum JobExit {
    /// After the last step.
    public static let finished: Int32 = 0
    /// Wrong options on the command line (`EX_USAGE`).
    public static let usage: Int32 = 64
    /// A loss or gradient that is not finite (`EX_DATAERR`).
    public static let notFinite: Int32 = 65
    /// Died again and again; restarts did not help (`EX_SOFTWARE`).
    public static let givenUp: Int32 = 70
    /// Another job holds the run folder (`EX_CANTCREAT`).
    public static let locked: Int32 = 73
    /// Stopped because it was asked to, with a checkpoint: start it again to go on (`EX_TEMPFAIL`).
    public static let stopped: Int32 = 75
    /// Settings, data or files that a person must put right (`EX_CONFIG`).
    public static let configuration: Int32 = 78

    /// The code for an error that ends a program.
    public static func code(of error: any Error) -> Int32 {
        switch error {
        case let error as SharedError: error.exitCode
        case is SettingsError: configuration
        case is RunLock.Refusal: locked
        default: 1
        }
    }

    /// Whether a job that ended so may get further when it is started again.
    public static func mayBeCured(_ code: Int32) -> Bool {
        ![finished, usage, notFinite, locked, stopped, configuration].contains(code)
    }
}
