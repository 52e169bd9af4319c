internal import CMPI
import Foundation

/// Runs `body` between MPI's start and end, with all ranks of the job.
///
/// MPI is owned by this scope, because a global of a program is never taken down, and a job whose ranks skip
/// `MPI_Finalize` counts as failed. All MPI calls must come from the thread that calls this.
///
/// If `body` throws, one line goes to standard error, `PROGRAM: rank R on HOST: MESSAGE`, and the whole job is ended:
/// other ranks may be waiting for this one in a call that would never return. This function does not return then.
/// Of a `SharedError`, which all ranks throw, only the first rank writes the line, `PROGRAM: MESSAGE`, and all end MPI in order.
///
/// - Parameters:
///   - program: The program's name, for the message.
///   - exitCode: The job's exit code for an error that `body` threw.
///   - ending: What a rank exits with where all end together with a code; it is told whether it is the first.
/// - Throws: Only if MPI cannot be started or ended.
public func withMPI<Value>(
    program: String = "mtdnn-worker", exitCode: (any Error) -> Int32 = { _ in 1 },
    ending: (_ code: Int32, _ isFirst: Bool) -> Int32 = { code, _ in code },
    _ body: (_ world: Communicator) throws -> Value
) throws(MPIError) -> Value {
    let required = Int32(MPI_THREAD_FUNNELED)
    var provided: Int32 = 0
    try check("MPI_Init_thread", MPI_Init_thread(nil, nil, required, &provided))
    let value: Value
    do {
        // The default ends the job without saying whose call it was.
        try check("MPI_Comm_set_errhandler", MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN))
        guard provided >= required else {
            throw MPIError(
                call: "MPI_Init_thread", reason: "this MPI is built for programs of a single thread (level \(provided))"
            )
        }
        value = try body(try Communicator(MPI_COMM_WORLD))
    } catch let error as SharedError {
        let isFirst = rankNumber() == 0
        if isFirst { say(program, error.description) }
        endTogether(ending(exitCode(error), isFirst), orElse: exitCode(error))
    } catch {
        abort(program, error, exitCode(error))
    }
    try check("MPI_Finalize", MPI_Finalize())
    return value
}

/// Ends this rank as all others do at the same point; where one of them does not, the job is ended without it.
private func endTogether(_ status: Int32, orElse code: Int32) -> Never {
    signal(SIGTERM, SIG_DFL)
    Thread.detachNewThread {
        sleep(10)
        _exit(code == 0 ? 1 : code)
    }
    MPI_Finalize()
    exit(status)
}

/// Says what happened and ends the processes of all ranks.
private func abort(_ program: String, _ error: any Error, _ exitCode: Int32) -> Never {
    // Whatever a program does on SIGTERM, it now ends it: that is how mpirun ends the other ranks.
    signal(SIGTERM, SIG_DFL)
    var host = "an unknown host"
    do { host = try Communicator.hostName() } catch {}
    say(program, "rank \(rankNumber()) on \(host): \(error)")
    MPI_Abort(MPI_COMM_WORLD, exitCode)
    // Only if MPI could not.
    exit(exitCode)
}

/// This process's rank, or -1 where MPI does not say.
private func rankNumber() -> Int32 {
    var rank: Int32 = -1
    MPI_Comm_rank(MPI_COMM_WORLD, &rank)
    return rank
}

/// Writes one line at once, so that lines of several ranks cannot mix.
private func say(_ program: String, _ message: String) {
    let line = message.split(whereSeparator: \.isNewline).joined(separator: " ")
    // Where nobody can hear it any more, the exit code still says what it can.
    do { try FileHandle.standardError.write(contentsOf: Data("\(program): \(line)\n".utf8)) } catch { return }
}
