import Foundation
import Testing

@testable import Training

/// A rank that a signal ended, named by mpirun's sentence and its last record.
@Suite final class RankDeathTests {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("death-\(UUID().uuidString)")
        .path

    deinit {
        do { try FileManager.default.removeItem(atPath: folder) } catch { Issue.record(error) }
    }

    @Test func `mpirun's sentence and the rank's record make one line with rank, host, step, phase and reason`() throws
    {
        try FileManager.default.createDirectory(
            atPath: RankRecord.folder(ofRun: folder), withIntermediateDirectories: true)
        let record = RankRecord(
            rank: 1, host: "node3", processIdentifier: 7, step: 12, phase: "backward", writing: nil, isWaiting: false,
            change: 3, advances: 40, beats: 9)
        #expect(record.write(to: RankRecord.path(rank: 1, inRun: folder)))
        func sentence(_ line: String) -> String? { RankDeath(line: line)?.description(runFolder: folder) }
        #expect(
            sentence("mpirun noticed that process rank 1 with PID 4711 on node node3 exited on signal 9 (Killed).")
                == "rank 1 on node3: step 12, backward: ended by signal 9 (Killed), which a kernel without free memory, "
                + "a batch system or a person may send")
        #expect(
            sentence("prterun noticed that process rank 1 with PID 0 on node node3 exited on signal 11.")
                == "rank 1 on node3: step 12, backward: ended by signal 11")
        // A rank that never published where it is.
        #expect(
            sentence(
                "mpirun noticed that process rank 0 with PID 0 on node node3 exited on signal 7 (Bus error).")
                == "rank 0 on node3: ended by signal 7 (Bus error)")
        #expect(sentence("mtdnn-worker: step 3: rank 1 exited on signal 9") == nil)
        #expect(sentence("") == nil)
    }
}
