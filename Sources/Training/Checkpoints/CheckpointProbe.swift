import Foundation
import Storage

/// A look through all that a checkpoint holds, by a process of its own.
///
/// HDF5 can crash, or work for ever, on a file that was made to mislead it, and checksums prove nothing where whoever made the file made
/// the manifest too. So of a checkpoint that may come from elsewhere a process of its own reads all first; its crash means a damaged file.
public struct CheckpointProbe: Sendable {
    private let isOn: Bool

    /// No look.
    public static let none = CheckpointProbe(isOn: false)
    /// A look by another process of this program, which must call `answerIfAsked` before all else.
    public static let ownProcess = CheckpointProbe(isOn: true)

    /// What the process of its own is started with, before the checkpoint's path.
    private static let option = "--read-checkpoint"
    /// Seconds of computing for one tensor; to read any takes less than a few.
    private static let patience = 60

    /// Reads and ends, where `require` started this program; otherwise does nothing.
    public static func answerIfAsked() {
        let arguments = CommandLine.arguments
        guard arguments.count == 3, arguments[1] == option else { return }
        do {
            try read(arguments[2], beforeEachPart: limitComputing)
            exit(0)
        } catch {
            StandardStream.error.say("\(error)")
            exit(1)
        }
    }

    /// Reads all values and moments; throws where they are not those of a whole checkpoint.
    package static func read(_ path: String, beforeEachPart: () -> Void = {}) throws {
        let checkpoint = try Checkpoint(path: path)
        try checkpoint.verify()
        beforeEachPart()
        try checkpoint.forEachPart { file, part in
            beforeEachPart()
            _ = try file.read("\(Shard.kinds[0])/\(part.name)", as: Float.self)
            for kind in Shard.kinds.dropFirst() { _ = try part.moments(kind, from: file) }
        }
    }

    /// Throws unless the process of its own reads all of the checkpoint at `path`.
    func require(_ path: String) throws {
        guard isOn else { return }
        let process = Process()
        process.executableURL = try CheckpointProbe.ownProgram()
        process.arguments = [CheckpointProbe.option, path]
        // A crash is an answer here, and not for anybody to look into.
        process.environment = ProcessInfo.processInfo.environment.merging(["SWIFT_BACKTRACE": "enable=no"]) { $1 }
        let sentence = Pipe()
        process.standardError = sentence
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let text = String(decoding: sentence.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationReason == .exit else {
            let signal = process.terminationStatus
            throw TrainingError(
                "\(path): is damaged, though its checksums hold: HDF5 "
                    + (signal == SIGPROF
                        ? "did not come to an end while it read" : "crashed (signal \(signal)) while it read"))
        }
        guard process.terminationStatus == 0 else {
            let sentence = text.trimmingCharacters(in: .whitespacesAndNewlines)
            throw TrainingError(
                sentence.isEmpty
                    ? "\(path): could not be looked into (exit code \(process.terminationStatus))" : sentence)
        }
    }

    /// Ends this process where it computes for long from now on.
    private static func limitComputing() {
        var limit = itimerval(it_interval: timeval(), it_value: timeval(tv_sec: patience, tv_usec: 0))
        #if os(Linux)
            setitimer(__itimer_which_t(ITIMER_PROF.rawValue), &limit, nil)
        #else
            setitimer(ITIMER_PROF, &limit, nil)
        #endif
    }

    private static func ownProgram() throws -> URL {
        #if os(Linux)
            return URL(fileURLWithPath: "/proc/self/exe")  // even where its file was replaced
        #else
            return URL(fileURLWithPath: Bundle.main.executablePath ?? CommandLine.arguments[0])
        #endif
    }
}
