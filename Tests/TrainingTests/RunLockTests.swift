import Foundation
import Storage
import Testing

@testable import Training

/// What the lock's file tells hosts that do not see each other's kernel locks, and what a dead holder means.
struct RunLockTests {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("lock-\(UUID().uuidString)").path
    private let patience = RunLock.Patience(interval: 0.01, living: 0.05, dying: 0.3, silent: 0.3)

    private func write(host: String, heartbeat: String) throws {
        try createFolder(folder)
        let text =
            #"{"heartbeat":"\#(heartbeat)","host":"\#(host)","isStopping":false,"pid":41,"since":"early","temporary":"\#(folder)/temporary"}"#
        try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/lock"))
    }

    private func take(silent: Double = 0.3) throws -> (RunLock, [String]) {
        var patience = patience
        patience.silent = silent
        var sentences: [String] = []
        let lock = try RunLock(folder: folder, patience: patience) { sentences.append($0) }
        return (lock, sentences)
    }

    @Test func `A second holder is refused until the first gives the lock back`() throws {
        let (first, sentences) = try take()
        #expect(sentences.isEmpty)
        let refusal = try #require(throws: RunLock.Refusal.self) { try take() }
        #expect(refusal.description.hasPrefix("\(folder) is in use by a job on "))
        #expect(refusal.description.contains("(process \(getpid()), since 2"))
        try first.noteStopping()
        #expect(throws: RunLock.Refusal.self) { try take() }
        try first.release()
        try take().0.release()
        #expect(try Data(contentsOf: URL(fileURLWithPath: "\(folder)/lock")).isEmpty)
    }

    @Test func `Who gave the lock back writes nothing over the next holder's entry`() throws {
        let (first, _) = try take()
        try first.release()
        let (second, _) = try take()
        let entry = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/lock"))
        try first.noteStopping()
        #expect(try Data(contentsOf: URL(fileURLWithPath: "\(folder)/lock")) == entry)
        try second.release()
    }

    @Test func `A silent holder on another host is dead, and one that renews its entry is not`() throws {
        try write(host: "far", heartbeat: "1")
        let (lock, sentences) = try take()
        #expect(sentences.count == 1 && sentences[0].contains("a job on far (process 41, since early)"))
        try lock.release()

        try write(host: "far", heartbeat: "1")
        let folder = folder
        Thread.detachNewThread {
            Thread.sleep(forTimeInterval: 0.1)
            let text = #"{"heartbeat":"2","host":"far","isStopping":false,"pid":41,"since":"early"}"#
            do {
                try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/lock"), options: .atomic)
            } catch { Issue.record(error) }
        }
        let refusal = try #require(throws: RunLock.Refusal.self) { try take(silent: 60) }
        #expect(refusal.description.contains("a job on far (process 41, since early)"))
    }

    @Test func `What a dead holder on this host left is removed once its mpirun is gone`() throws {
        let (own, _) = try take()
        let text = try String(contentsOfFile: "\(folder)/lock", encoding: .utf8)
        try own.release()
        let host = try #require(text.components(separatedBy: #""host":""#).last?.split(separator: "\"").first)
        try createFolder("\(folder)/temporary/ompi")
        // Of another host nothing is removed.
        try write(host: "far", heartbeat: "1")
        try take().0.release()
        #expect(FileManager.default.fileExists(atPath: "\(folder)/temporary/ompi"))

        try write(host: String(host), heartbeat: "1")
        let mpirun = Process()
        mpirun.executableURL = URL(fileURLWithPath: "/bin/sh")
        mpirun.arguments = ["-c", "echo; read line", "sh", "--report-uri", "\(folder)/temporary/mpirun.uri"]
        let input = Pipe(), output = Pipe()
        mpirun.standardInput = input
        mpirun.standardOutput = output
        try mpirun.run()
        // Only once it runs does the system know its arguments.
        try #require(try output.fileHandleForReading.read(upToCount: 1)?.count == 1)
        let refusal = try #require(throws: RunLock.Refusal.self) { try take() }
        #expect(refusal.description.contains("mpirun did not end"))
        #expect(FileManager.default.fileExists(atPath: "\(folder)/temporary/ompi"))
        try input.fileHandleForWriting.close()
        mpirun.waitUntilExit()
        let (lock, sentences) = try take()
        #expect(sentences.isEmpty)
        #expect(!FileManager.default.fileExists(atPath: "\(folder)/temporary"))
        #expect(try !String(contentsOfFile: "\(folder)/lock", encoding: .utf8).contains("temporary\":"))
        try lock.release()
    }

    @Test func `Ranks of a job without a head are waited for`() throws {
        try createFolder(folder)
        do {
            let rank = try RankLock(folder: folder, renews: false)
            let refusal = try #require(throws: RunLock.Refusal.self) { try take() }
            #expect(refusal.description.contains("ranks of an earlier job did not end within 0 s"))
            withExtendedLifetime(rank) {}
        }
        try take().0.release()
    }
}
