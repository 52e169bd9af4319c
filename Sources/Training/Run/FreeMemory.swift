import Foundation

/// How much memory programs of this host can still take.
struct FreeMemory {
    /// The folder that everything is read below: `/`, unless a test has another.
    let root: String

    /// Bytes that are free on the machine and below the limits of this process's control groups; nil where the system says nothing.
    var bytes: Int? {
        ([ofMachine] + ofControlGroups).compactMap { $0 }.min()
    }

    private var ofMachine: Int? { number(after: "MemAvailable:", in: "proc/meminfo").map { $0 * 1024 } }

    /// What is left in this process's control groups and in those that they lie in, as batch systems and containers set limits by them.
    private var ofControlGroups: [Int] {
        lines("proc/self/cgroup").flatMap { line -> [Int] in
            // Number of the hierarchy, its controllers, and the group.
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3, let names = MemoryFiles(hierarchy: fields[0], controllers: fields[1]) else {
                return []
            }
            let groups = fields[2].split(separator: "/")
            return (0...groups.count).compactMap { depth in
                room(in: names.folder + groups.prefix(depth).map { "\($0)/" }.joined(), names)
            }
        }
    }

    /// How a version of control groups calls what it says of memory.
    private struct MemoryFiles {
        let folder: String
        let limit: String
        let used: String
        /// What may be dropped of what is used, in `memory.stat`.
        let droppable: String

        /// Nil where the hierarchy says nothing of memory. That of version 2 has the number 0 and names no controller.
        init?(hierarchy: Substring, controllers: Substring) {
            if controllers.split(separator: ",").contains("memory") {
                (folder, limit, used) = ("sys/fs/cgroup/memory/", "memory.limit_in_bytes", "memory.usage_in_bytes")
                droppable = "total_inactive_file"
            } else if hierarchy == "0" {
                (folder, limit, used) = ("sys/fs/cgroup/", "memory.max", "memory.current")
                droppable = "inactive_file"
            } else {
                return nil
            }
        }
    }

    /// Bytes left in a control group; nil where it has no limit.
    private func room(in group: String, _ names: MemoryFiles) -> Int? {
        guard let limit = lines(group + names.limit).first.flatMap({ Int($0) }),
            let used = lines(group + names.used).first.flatMap({ Int($0) })
        else { return nil }
        // Files that were read count as used until their place is needed.
        return max(0, limit - used + (number(after: names.droppable, in: group + "memory.stat") ?? 0))
    }

    private func number(after name: String, in file: String) -> Int? {
        lines(file).first { $0.hasPrefix(name) }?.split(separator: " ").dropFirst().first.flatMap { Int($0) }
    }

    private func lines(_ file: String) -> [Substring] {
        guard let data = FileManager.default.contents(atPath: "\(root)/\(file)") else { return [] }
        return String(decoding: data, as: UTF8.self).split(separator: "\n")
    }
}
