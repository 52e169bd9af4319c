import Foundation
import TestSupport
import Testing

/// Ranks that would not compute the same are refused at the start, in one sentence with host and cure.
@Suite(.serialized) final class ComparisonTests {
    private let run: SmallRun

    init() throws { run = try SmallRun() }

    deinit {
        do { try run.suite.remove() } catch { Issue.record(error) }
    }

    /// Starts three workers, the second of them in a way of its own: `preparation` is a shell's, and `$@` the command.
    private func refusal(_ preparation: String) throws -> String {
        let script = "if [ $OMPI_COMM_WORLD_RANK = 1 ]; then \(preparation); fi; exec \"$@\""
        let result = try runJob(
            ranks: 3, executable: "/bin/sh",
            arguments: ["-c", script, "sh", productPath("mtdnn-worker"), run.suite.runFile])
        #expect(result.status != 0)
        return try refusal(result)
    }

    private func refusal(_ result: JobResult) throws -> String {
        let lines = result.error.split(separator: "\n").map(String.init)
            .filter { $0.hasPrefix("mtdnn-worker: ") || $0.hasPrefix("self-test: ") }
        try #require(lines.count == 1, "\(result.error)")
        return lines[0].replacingOccurrences(of: "on \(ProcessInfo.processInfo.hostName)", with: "on HOST")
    }

    @Test func `Other settings are refused, and the differences listed`() throws {
        #expect(
            try refusal("set -- \"$@\" --set learning_rate=0.5 --set epochs=3")
                == "mtdnn-worker: rank 1 on HOST has other settings than rank 0 on HOST (epochs is 3, not 2; learning_rate is 0.5, not 0.001); "
                + "give all ranks the same run file and overrides")
    }

    @Test func `Another build of the program is refused`() throws {
        let copy = "\(run.suite.folder)/worker"
        try FileManager.default.copyItem(atPath: productPath("mtdnn-worker"), toPath: copy)
        let file = try #require(FileHandle(forWritingAtPath: copy))
        try file.seekToEnd()
        try file.write(contentsOf: Data([0]))
        try file.close()
        #expect(
            try refusal("shift; set -- \"\(copy)\" \"$@\"")
                == "mtdnn-worker: rank 1 on HOST runs another build of the program than rank 0 on HOST; copy the same mtdnn-worker to all hosts"
        )
    }

    @Test(arguments: [("other weights", "begins with other weights than"), ("other data", "reads other contents in")])
    func `Other weights or data are refused`(check: String, sentence: String) throws {
        let result = try runJob(ranks: 3, executable: "TrainingSelfTest", arguments: [check, run.suite.runFile])
        #expect(result.status == 7)
        #expect(try refusal(result).hasPrefix("self-test: rank 1 on HOST \(sentence) "))
    }
}
