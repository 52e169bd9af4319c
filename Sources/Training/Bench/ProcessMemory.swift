import Foundation

/// Memory of this process as Linux counts it; elsewhere nothing is known but the highest resident size.
struct ProcessMemory: Codable {
    /// Bytes in use at their highest, pages shared with other processes counted in full.
    var peakRss: Int
    /// The same with each shared page divided among those that use it.
    var peakPss: Int?

    /// For people.
    var text: String { (peakPss.map { "\(byteText($0)) " } ?? "") + "(resident \(byteText(peakRss)))" }

    /// Lets the peak begin anew at what is in use now.
    static func resetPeak() {
        // Where the system has no such file, the peak since the process's start is reported.
        guard let file = fopen("/proc/self/clear_refs", "w") else { return }
        fputs("5", file)
        fclose(file)
    }

    /// The peak since the last `resetPeak`.
    ///
    /// The system keeps the peak of resident pages only. What is shared (program files, windows between ranks) hardly changes in training, so
    /// its excess over the proportional share is taken off as it is now.
    static func peak() -> ProcessMemory {
        let status = fields(of: "/proc/self/status")
        let rollup = fields(of: "/proc/self/smaps_rollup")
        let resident = status["VmHWM"] ?? highestResident()
        guard let now = rollup["Rss"], let proportional = rollup["Pss"] else {
            return ProcessMemory(peakRss: resident, peakPss: nil)
        }
        return ProcessMemory(peakRss: resident, peakPss: resident - (now - proportional))
    }

    /// The most bytes that this process has had in use since its start.
    private static func highestResident() -> Int {
        var usage = rusage()
        #if canImport(Darwin)
            getrusage(RUSAGE_SELF, &usage)
            return usage.ru_maxrss
        #else
            getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
            return usage.ru_maxrss * 1024
        #endif
    }

    /// The lines `NAME: NUMBER kB` of a file under /proc, in bytes.
    private static func fields(of path: String) -> [String: Int] {
        guard let data = FileManager.default.contents(atPath: path) else { return [:] }
        var fields: [String: Int] = [:]
        for line in String(decoding: data, as: UTF8.self).split(separator: "\n") {
            let words = line.split(whereSeparator: { $0 == " " || $0 == ":" || $0 == "\t" })
            if words.count == 3, words[2] == "kB", let number = Int(words[1]) {
                fields[String(words[0])] = number * 1024
            }
        }
        return fields
    }
}
