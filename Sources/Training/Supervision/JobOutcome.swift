import Foundation

/// How a job ended, left in a file by its first rank for the `mtdnn` that started it. Its ranks exit with 0 then: at any other code mpirun would say
/// in a paragraph of its own that something went wrong, also where it was only asked to stop.
public struct JobOutcome {
    private static let prefix = ".outcome-"
    /// The file.
    public let path: String

    /// That of the job called `job` on a run folder; no other job's file has its name.
    public init(folder: String, job: String) { self.init(path: "\(folder)/\(JobOutcome.prefix)\(job)") }

    /// That which `mtdnn` told the worker of.
    public init(path: String) { self.path = path }

    /// Leaves the code with which a job ends, if this is its first rank; returns what the rank exits with.
    public func leave(_ code: Int32, isFirst: Bool) -> Int32 {
        guard isFirst else { return 0 }
        do {
            try "\(code)\n".write(toFile: path, atomically: false, encoding: .utf8)
            return 0
        } catch {
            // Then the code itself says it, and mpirun passes it on.
            return code
        }
    }

    /// The code with which the job ended, whose mpirun exited with `status`; the file is removed.
    public func take(status: Int32) throws -> Int32 {
        guard let text = FileManager.default.contents(atPath: path).map({ String(decoding: $0, as: UTF8.self) }) else {
            // In order, but without a word: the ranks were ended before they knew.
            return status == 0 ? 1 : status
        }
        try remove()
        guard text.hasSuffix("\n"), let code = Int32(text.dropLast()) else { return status == 0 ? 1 : status }
        return code
    }

    /// Removes what jobs left whose `mtdnn` was killed.
    public static func removeAll(folder: String) throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: folder) where name.hasPrefix(prefix) {
            try JobOutcome(path: "\(folder)/\(name)").remove()
        }
    }

    private func remove() throws {
        do {
            try FileManager.default.removeItem(atPath: path)
        } catch {
            throw TrainingError("\(path): cannot be removed: \(error.localizedDescription)")
        }
    }
}
