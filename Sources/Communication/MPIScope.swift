internal import CMPI
import Foundation

/// Runs `body` between MPI's start and end, with all ranks of the job.
///
/// MPI is owned by this scope, because a global of a program is never taken down, and a job whose ranks skip
/// `MPI_Finalize` counts as failed. All MPI calls must come from the thread that calls this.
///
/// If `body` throws, one line goes to standard error, `PROGRAM: rank R on HOST: MESSAGE`, and the whole job is ended:
/// other ranks may be waiting for this one in a call that would never return. This function does not return then.
/// Of a `SharedError`, which all ranks throw, only the first rank writes the line, `PROGRAM: MESSAGE`.
///
/// - Parameters:
///   - program: The program's name, for the message.
///   - exitCode: The job's exit code for an error that `body` threw.
/// - Throws: Only if MPI cannot be started or ended.
public func withMPI<Value>(
    program: String = "mtdnn-worker", exitCode: (any Error) -> Int32 = { _ in 1 },
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
    } catch {
        abort(program, error, exitCode(error))
    }
    try check("MPI_Finalize", MPI_Finalize())
    return value
}

/// Says what happened and ends the processes of all ranks.
private func abort(_ program: String, _ error: any Error, _ exitCode: Int32) -> Never {
    // Whatever a program does on SIGTERM, it now ends it: that is how mpirun ends the other ranks.
    signal(SIGTERM, SIG_DFL)
    var rank: Int32 = -1
    MPI_Comm_rank(MPI_COMM_WORLD, &rank)
    var host = "an unknown host"
    do { host = try Communicator.hostName() } catch {}
    var message = "\(error)".split(whereSeparator: \.isNewline).joined(separator: " ")
    if !(error is SharedError) {
        message = "rank \(rank) on \(host): \(message)"
    } else if rank > 0 {
        // The first rank ends the job, this process too, long before; if it cannot, its message is said here.
        sleep(10)
    }
    // One write, so that lines of several ranks cannot mix.
    FileHandle.standardError.write(Data("\(program): \(message)\n".utf8))
    MPI_Abort(MPI_COMM_WORLD, exitCode)
    // Only if MPI could not.
    exit(exitCode)
}
