import Foundation

/// How a reader in a process of its own ended.
enum ReaderEnd: Equatable {
    case exited(Int32)
    case signalled(Int32)
}

/// What a reader tells the process that started it, in memory that both share, so that it is known after a crash.
struct Tally {
    /// The mutant at hand.
    var seed: UInt64
    var accepted: Int
    var refused: Int
    /// Errors that do not name the file.
    var unnamed: Int

    /// Memory for one.
    static func share() -> UnsafeMutablePointer<Tally> {
        let size = MemoryLayout<Tally>.size
        let memory = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)
        guard let memory, memory != MAP_FAILED else { fail("there is no memory to share") }
        let tally = memory.bindMemory(to: Tally.self, capacity: 1)
        tally.initialize(to: Tally(seed: 0, accepted: 0, refused: 0, unnamed: 0))
        return tally
    }
}

/// Seconds of wall time for one mutant, all of which take milliseconds.
let patience: UInt32 = 60

/// Runs `body` in a copy of this process, which may crash, in 1 GiB of address space.
func runReader(processorSeconds: Int?, _ body: () -> Void) -> ReaderEnd {
    let child = fork()
    if child == 0 {
        limit(__rlimit_resource_t(RLIMIT_AS.rawValue), 1 << 30)
        limit(__rlimit_resource_t(RLIMIT_CORE.rawValue), 0)
        if let processorSeconds { limit(__rlimit_resource_t(RLIMIT_CPU.rawValue), processorSeconds) }
        body()
        _exit(0)
    }
    guard child > 0 else { fail("no process can be started") }
    var status: Int32 = 0
    while waitpid(child, &status, 0) == -1, errno == EINTR {}
    let signal = status & 0x7F
    return signal == 0 ? .exited(status >> 8 & 0xFF) : .signalled(signal)
}

private func limit(_ resource: __rlimit_resource_t, _ value: Int) {
    var limit = rlimit(rlim_cur: rlim_t(value), rlim_max: rlim_t(value))
    guard setrlimit(resource, &limit) == 0 else { _exit(9) }
}

/// Ends the program with a sentence.
func fail(_ sentence: String) -> Never {
    FileHandle.standardError.write(Data("HostileFiles: \(sentence)\n".utf8))
    exit(1)
}
