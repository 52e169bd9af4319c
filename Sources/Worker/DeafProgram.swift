import Foundation
import Training

/// `mtdnn-worker --deaf PROGRAM ...` becomes a program that does not hear the signals at which Open MPI's daemons would kill their ranks. `mtdnn` has
/// mpirun start its daemons on other hosts by it.
func becomeDeafProgramIfAsked() {
    guard CommandLine.argc > 2, CommandLine.arguments[1] == "--deaf" else { return }
    SignalMask.block(SignalMask.killingRanks)
    execvp(CommandLine.arguments[2], CommandLine.unsafeArgv + 2)
    StandardStream.error.say("mtdnn-worker: \(CommandLine.arguments[2]): \(String(cString: strerror(errno)))")
    exit(127)
}
