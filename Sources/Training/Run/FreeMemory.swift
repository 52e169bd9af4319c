import Foundation

/// How much memory programs of this host can still take.
struct FreeMemory {
    /// The folder that everything is read below: `/`, unless a test has another.
    let root: String

    /// Bytes that are free on the machine and below the limits of this process's control groups; nil where the system says nothing.
    var bytes: Int? {
        ([ofMachine].compactMap { $0 } + ofControlGroups).min()
    }

    private var ofMachine: Int? { number(after: "MemAvailable:", in: "proc/meminfo").map { $0 * 1024 } }

    /// A control group's files for its limit and for what it uses, and the name of what may be dropped of that; below `/sys/fs/cgroup`.
    private struct Hierarchy {
        let folder: String
        let limit: String
        let used: String
        let droppable: String

        static let unified = Hierarchy(
            folder: "", limit: "memory.max", used: "memory.current", droppable: "inactive_file ")
        static let memory = Hierarchy(
            folder: "memory/", limit: "memory.limit_in_bytes", used: "memory.usage_in_bytes",
            droppable: "total_inactive_file ")
    }

    /// What is left in this process's control groups and in those that they lie in, as batch systems and containers set limits by them.
    private var ofControlGroups: [Int] {
        lines("proc/self/cgroup").flatMap { line -> [Int] in
            // Number of the hierarchy, its controllers, and the group: version 2 has the number 0 and names no controller.
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { return [] }
            let hierarchy: Hierarchy
            if fields[1].split(separator: ",").contains("memory") {
                hierarchy = .memory
            } else if fields[0] == "0" {
                hierarchy = .unified
            } else {
                return []
            }
            let names = fields[2].split(separator: "/")
            return (0...names.count).compactMap { depth in
                room(in: hierarchy.folder + names.prefix(depth).map { "\($0)/" }.joined(), hierarchy)
            }
        }
    }

    /// Bytes left in a control group; nil where it has no limit.
    private func room(in group: String, _ hierarchy: Hierarchy) -> Int? {
        let folder = "sys/fs/cgroup/" + group
        guard let limit = lines(folder + hierarchy.limit).first.flatMap({ Int($0) }),
            let used = lines(folder + hierarchy.used).first.flatMap({ Int($0) })
        else { return nil }
        // Files that were read count as used until their place is needed.
        return max(0, limit - used + (number(after: hierarchy.droppable, in: folder + "memory.stat") ?? 0))
    }

    private func number(after name: String, in file: String) -> Int? {
        lines(file).first { $0.hasPrefix(name) }?.split(separator: " ").dropFirst().first.flatMap { Int($0) }
    }

    private func lines(_ file: String) -> [Substring] {
        guard let data = FileManager.default.contents(atPath: "\(root)/\(file)") else { return [] }
        return String(decoding: data, as: UTF8.self).split(separator: "\n")
    }
}
