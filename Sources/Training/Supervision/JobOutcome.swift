import Foundation
import Storage

/// Whether a job began and how it ended, left in a file by its first rank for the `mtdnn` that started it. Its ranks exit with 0 then: at any other
/// code mpirun would say in a paragraph of its own that something went wrong, also where it was only asked to stop.
public struct JobOutcome {
    private static let prefix = ".outcome-"
    private static let reserved = "reserved"
    /// The file.
    public let path: String

    /// That of the job called `job` on a run folder; no other job's file has its name.
    public init(folder: String, job: String) { self.init(path: "\(folder)/\(JobOutcome.prefix)\(job)") }

    /// That which `mtdnn` told the worker of.
    public init(path: String) { self.path = path }

    /// Makes room for the code before the job begins: the disk may be full at its end, and another host's new file be seen late.
    public func reserve() {
        // Without it the code is written where there is room, and is mpirun's exit code otherwise.
        do { try write(JobOutcome.reserved) } catch { return }
    }

    /// Says that the ranks have met.
    public func begin() {
        // A disk that is full is the job's own to complain of.
        do { try write("running") } catch { return }
    }

    /// Leaves the code with which a job ends, if this is its first rank; returns what the rank exits with.
    public func leave(_ code: Int32, isFirst: Bool) -> Int32 {
        guard isFirst else { return 0 }
        // Where it cannot be written the code itself says it, and mpirun passes it on.
        do { try write("\(code)") } catch { return code }
        return 0
    }

    /// The code with which the job ended, whose mpirun exited with `status`, and whether its ranks ever met; the file is removed.
    public func take(status: Int32) throws -> (code: Int32, hasBegun: Bool) {
        guard let bytes = try contentsIfPresent(path) else { return (status, true) }
        try removeIfPresent(path)
        let word = String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        return (Int32(word) ?? status, word != JobOutcome.reserved)
    }

    /// Writes a word over what stands there, always as many bytes.
    private func write(_ word: String) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw StorageError(file: path, place: "open", reason: "not possible") }
        defer { close(descriptor) }
        let bytes = Array(word.padding(toLength: 15, withPad: " ", startingAt: 0).utf8) + [UInt8(ascii: "\n")]
        guard pwrite(descriptor, bytes, bytes.count, 0) == bytes.count else {
            throw StorageError(file: path, place: "write", reason: "not possible")
        }
    }

    /// Removes what jobs left whose `mtdnn` was killed.
    public static func removeAll(folder: String) throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: folder) where name.hasPrefix(prefix) {
            try removeIfPresent("\(folder)/\(name)")
        }
    }
}
