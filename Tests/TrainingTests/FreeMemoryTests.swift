import TestSupport
import Testing

@testable import Training

@Suite struct FreeMemoryTests {
    let folder = TemporaryFolder()

    private var bytes: Int? { FreeMemory(root: folder.path).bytes }

    @Test func `The least of what the machine has and what each control group leaves is free`() throws {
        #expect(bytes == nil)
        try folder.write("proc/meminfo", "MemTotal:  9000 kB\nMemFree:  10 kB\nMemAvailable:  8000 kB\n")
        #expect(bytes == 8000 * 1024)
        try folder.write("proc/self/cgroup", "12:cpu:/other\n0::/batch/job 7\n")
        #expect(bytes == 8000 * 1024)
        try folder.write("sys/fs/cgroup/batch/job 7/memory.max", "max\n")
        try folder.write("sys/fs/cgroup/batch/job 7/memory.current", "1000\n")
        #expect(bytes == 8000 * 1024)
        // The limit of a group above holds for those in it, and files that may be dropped leave room.
        try folder.write("sys/fs/cgroup/batch/memory.max", "5000000\n")
        try folder.write("sys/fs/cgroup/batch/memory.current", "2000000\n")
        #expect(bytes == 3_000_000)
        try folder.write("sys/fs/cgroup/batch/memory.stat", "anon 1\ninactive_file 400000\n")
        #expect(bytes == 3_400_000)
        try folder.write("sys/fs/cgroup/batch/job 7/memory.max", "1500\n")
        #expect(bytes == 500)
        try folder.write("sys/fs/cgroup/batch/job 7/memory.max", "900\n")
        #expect(bytes == 0)
    }

    @Test func `Limits of the first version of control groups count too`() throws {
        try folder.write("proc/meminfo", "MemAvailable:  8000 kB\n")
        try folder.write("proc/self/cgroup", "4:cpu:/other\n3:hugetlb,memory:/batch/job\n0::/\n")
        // No limit is a number that no machine reaches.
        try folder.write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n")
        try folder.write("sys/fs/cgroup/memory/memory.usage_in_bytes", "5000000\n")
        #expect(bytes == 8000 * 1024)
        try folder.write("sys/fs/cgroup/memory/batch/job/memory.limit_in_bytes", "3000000\n")
        try folder.write("sys/fs/cgroup/memory/batch/job/memory.usage_in_bytes", "1000000\n")
        try folder.write("sys/fs/cgroup/memory/batch/job/memory.stat", "inactive_file 1\ntotal_inactive_file 300000\n")
        #expect(bytes == 2_300_000)
    }
}
