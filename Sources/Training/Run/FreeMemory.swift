import Foundation

/// How much memory programs of this host can still take.
struct FreeMemory {
    /// The folder that everything is read below: `/`, unless a test has another.
    let root: String

    /// Bytes that are free on the machine and below the limits of this process's control groups; nil where the system says nothing.
    var bytes: Int? {
        ([ofMachine] + controlGroups.map(room)).compactMap { $0 }.min()
    }

    private var ofMachine: Int? { number(after: "MemAvailable:", in: "proc/meminfo").map { $0 * 1024 } }

    /// This process's control group (version 2) and those that it lies in, as batch systems and containers set limits by them.
    private var controlGroups: [String] {
        guard let line = lines("proc/self/cgroup").first(where: { $0.hasPrefix("0::") }) else { return [] }
        let names = line.dropFirst("0::".count).split(separator: "/")
        return (0...names.count).map { "sys/fs/cgroup/" + names.prefix($0).map { "\($0)/" }.joined() }
    }

    /// Bytes left in a control group; nil where it has no limit.
    private func room(in group: String) -> Int? {
        guard let limit = lines(group + "memory.max").first.flatMap({ Int($0) }),
            let used = lines(group + "memory.current").first.flatMap({ Int($0) })
        else { return nil }
        // Files that were read count as used until their place is needed.
        return max(0, limit - used + (number(after: "inactive_file", in: group + "memory.stat") ?? 0))
    }

    private func number(after name: String, in file: String) -> Int? {
        lines(file).first { $0.hasPrefix(name) }?.split(separator: " ").dropFirst().first.flatMap { Int($0) }
    }

    private func lines(_ file: String) -> [Substring] {
        guard let data = FileManager.default.contents(atPath: "\(root)/\(file)") else { return [] }
        return String(decoding: data, as: UTF8.self).split(separator: "\n")
    }
}
