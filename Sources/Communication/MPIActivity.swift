import Synchronization

/// Whether this process is inside an MPI call, where it may be waiting for other ranks. Any thread may ask.
public enum MPIActivity {
    private static let inside = Atomic<Bool>(false)

    /// Whether the thread that calls MPI is inside a call.
    public static var isInside: Bool { inside.load(ordering: .relaxed) }

    /// Makes a call.
    static func noting(_ call: () -> Int32) -> Int32 {
        inside.store(true, ordering: .relaxed)
        defer { inside.store(false, ordering: .relaxed) }
        return call()
    }
}
