import Foundation

/// What one rank says of itself in `RUN/ranks/rank-RANK`: one line of words, always of the same size.
///
/// `HOST PID STEP PHASE WRITING STATE CHANGE ADVANCES BEATS`. WRITING is what a thread beside training writes, or `-`; STATE is `waiting`
/// inside an MPI call, else `working`. BEATS grows several times a second as long as the process lives. There is no time in it: clocks of
/// hosts differ, so each reader measures with its own how long a record has stayed the same.
public struct RankRecord: Equatable, Sendable {
    /// The rank's number.
    public var rank: Int
    /// The machine that it runs on.
    public var host: String
    /// Its process there.
    public var processIdentifier: Int32
    /// The step at hand, from 1; 0 before the first.
    public var step: Int
    /// What it is at, for example `forward`.
    public var phase: String
    /// What it writes beside training: `checkpoint`, `commit`, or nil.
    public var writing: String?
    /// Whether it is inside an MPI call.
    public var isWaiting: Bool
    /// Changes of phase since the step began.
    var change: Int
    /// Grows whenever the rank gets on.
    var advances: UInt64
    /// Grows as long as the process lives.
    var beats: UInt64

    /// Bytes of a line with its line break.
    static let byteCount = 192
    /// So that all else has room.
    private static let longestHostName = 80

    /// The folder of a run's records.
    static func folder(ofRun folder: String) -> String { "\(folder)/ranks" }

    /// Where a rank's record is.
    static func path(rank: Int, inRun folder: String) -> String {
        "\(self.folder(ofRun: folder))/\(String(format: "rank-%03d", rank))"
    }

    /// The records of all ranks of the job that last ran in a folder; without those that cannot be read.
    public static func all(ofRun folder: String) -> [RankRecord] {
        guard let files = FileManager.default.enumerator(atPath: self.folder(ofRun: folder)) else { return [] }
        return files.compactMap { $0 as? String }
            .compactMap { $0.hasPrefix("rank-") ? Int($0.dropFirst("rank-".count)) : nil }.sorted()
            .compactMap { RankRecord(rank: $0, path: path(rank: $0, inRun: folder)) }
    }

    /// Removes the records of a run's earlier jobs, which would be taken for those of the next.
    public static func removeAll(ofRun folder: String) throws {
        let records = self.folder(ofRun: folder)
        if FileManager.default.fileExists(atPath: records) { try FileManager.default.removeItem(atPath: records) }
    }

    /// The line.
    var line: [UInt8] {
        let name = String(decoding: host.utf8.prefix(Self.longestHostName).map { $0 > 32 ? $0 : 95 }, as: UTF8.self)
        let words = [
            name, "\(processIdentifier)", "\(step)", phase, writing ?? "-", isWaiting ? "waiting" : "working",
            "\(change)", "\(advances)", "\(beats)",
        ]
        var line = Array(words.joined(separator: " ").utf8)
        precondition(line.count < Self.byteCount)
        line += [UInt8](repeating: UInt8(ascii: " "), count: Self.byteCount - 1 - line.count)
        return line + [UInt8(ascii: "\n")]
    }

    /// Reads a line; nil for one that is not whole.
    init?(rank: Int, line: [UInt8]) {
        guard line.count == Self.byteCount, line.last == UInt8(ascii: "\n") else { return nil }
        let words = line.dropLast().split(separator: UInt8(ascii: " ")).map { String(decoding: $0, as: UTF8.self) }
        guard words.count == 9, let process = Int32(words[1]), let step = Int(words[2]), let change = Int(words[6]),
            let advances = UInt64(words[7]), let beats = UInt64(words[8])
        else { return nil }
        self.init(
            rank: rank, host: words[0], processIdentifier: process, step: step, phase: words[3],
            writing: words[4] == "-" ? nil : words[4], isWaiting: words[5] == "waiting", change: change,
            advances: advances, beats: beats)
    }

    /// Reads a rank's record; nil where there is none.
    ///
    /// The file is opened each time: that is when a network file system looks for what other hosts wrote.
    init?(rank: Int, path: String) {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var line = [UInt8](repeating: 0, count: Self.byteCount)
        guard read(file, &line, line.count) == line.count else { return nil }
        self.init(rank: rank, line: line)
    }

    /// Writes the line in one call and closes the file, which is when a network file system shows it to other hosts.
    /// - Returns: Whether it was written.
    @discardableResult
    func write(to path: String) -> Bool {
        let file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
        guard file >= 0 else { return false }
        let written = pwrite(file, line, Self.byteCount, 0)
        return close(file) == 0 && written == Self.byteCount
    }

    init(
        rank: Int, host: String, processIdentifier: Int32, step: Int, phase: String, writing: String?, isWaiting: Bool,
        change: Int, advances: UInt64, beats: UInt64
    ) {
        self.rank = rank
        self.host = host
        self.processIdentifier = processIdentifier
        self.step = step
        self.phase = phase
        self.writing = writing
        self.isWaiting = isWaiting
        self.change = change
        self.advances = advances
        self.beats = beats
    }
}
