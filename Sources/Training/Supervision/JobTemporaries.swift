import Foundation
import Storage

/// A folder for all that Open MPI keeps in the temporary directory for one job, and the job's files in shared memory: what a killed job
/// leaves there is found again, and no other job's files are touched.
public struct JobTemporaries {
    /// The folder.
    public let path: String
    /// A name that no other job has.
    public var job: String { String(path.suffix(8)) }
    /// Where mpirun writes its number, which is a part of the names of the job's files in shared memory.
    public var addressFile: String { "\(path)/mpirun.uri" }
    private let sharedMemory: String

    /// A folder of the temporary directory that does not exist yet.
    public init() {
        let name = "mtdnn-\(UUID().uuidString.prefix(8))"
        self.init(path: FileManager.default.temporaryDirectory.appendingPathComponent(name).path)
    }

    /// The folder of an earlier job.
    public init(path: String) { self.init(path: path, sharedMemory: "/dev/shm") }

    init(path: String, sharedMemory: String) {
        self.path = path
        self.sharedMemory = sharedMemory
    }

    /// Makes the folder.
    public func create() throws { try createFolder(path) }

    /// Whether the job's mpirun lives, where the system shows the command lines of processes. It outlives an `mtdnn` that was killed, and
    /// may not even have started its ranks.
    var isInUse: Bool {
        let processes: [String]
        do { processes = try FileManager.default.contentsOfDirectory(atPath: "/proc") } catch { return false }
        let mark = Data(addressFile.utf8)
        return processes.contains { name in
            guard let process = Int32(name), process != getpid() else { return false }
            return FileManager.default.contents(atPath: "/proc/\(process)/cmdline")?.range(of: mark) != nil
        }
    }

    /// Removes what the job left behind. Its processes must be gone.
    public func remove() throws {
        let manager = FileManager.default
        if let family = jobFamily(), manager.fileExists(atPath: sharedMemory) {
            for name in try manager.contentsOfDirectory(atPath: sharedMemory) where isOfJob(name, family) {
                try removeIfPresent("\(sharedMemory)/\(name)")
            }
        }
        try removeIfPresent(path)
    }

    /// The upper half of the job's number, which all processes of one mpirun have in common.
    private func jobFamily() -> UInt32? {
        // No mpirun has come to write it; then no rank was started either.
        guard let bytes = FileManager.default.contents(atPath: addressFile) else { return nil }
        return UInt32(String(decoding: bytes, as: UTF8.self).prefix { $0.isNumber }).map { $0 >> 16 }
    }

    /// Names are `vader_segment.HOST.UID.JOB.RANK` and `osc_sm.HOST.JOB.RANK.WINDOW`, the job's number in hexadecimal digits; host names may
    /// have dots.
    private func isOfJob(_ name: String, _ family: UInt32) -> Bool {
        let parts = name.split(separator: ".")
        guard parts.count >= 5, let place = ["vader_segment": 2, "osc_sm": 3][parts[0]] else { return false }
        return UInt32(parts[parts.count - place], radix: 16).map { $0 >> 16 } == family
    }
}
