internal import CMPI
import Foundation

/// Memory that the ranks of one host share: each rank owns a part and reads or writes the others' directly.
///
/// The memory lives until `free()` or the end of MPI. There is no release on `deinit`: releasing waits for all ranks,
/// and a rank that unwinds after an error must end the job instead of waiting.
public final class SharedWindow {
    /// Bytes of each rank's part.
    public let byteCount: Int
    private let communicator: Communicator
    private var window: MPI_Win?
    private let parts: [UnsafeMutableRawPointer]

    /// Parts start at the same place within a cache line and vector in every rank's view.
    private static let alignment = 64

    /// Allocates a part of `byteCount` bytes, the same number for each rank of a host communicator.
    ///
    /// All ranks throw the same error if the host's shared memory cannot hold the parts.
    public init(on host: Communicator, byteCount: Int) throws(MPIError) {
        // MPI places parts at 8 mod 64; room to align, and a size that gives all parts the same remainder.
        let padded = (byteCount + 2 * Self.alignment - 1) / Self.alignment * Self.alignment
        try Self.checkSpace(for: padded * host.size, host)
        var window: MPI_Win?
        var base: UnsafeMutableRawPointer?
        try check(
            "MPI_Win_allocate_shared",
            MPI_Win_allocate_shared(MPI_Aint(padded), 1, MPI_INFO_NULL, host.handle, &base, &window))
        guard let window else { throw MPIError(call: "MPI_Win_allocate_shared", reason: "gave no window") }
        try check("MPI_Win_set_errhandler", MPI_Win_set_errhandler(window, MPI_ERRORS_RETURN))
        var parts: [UnsafeMutableRawPointer] = []
        for rank in 0..<host.size {
            var size: MPI_Aint = 0
            var unit: Int32 = 0
            var address: UnsafeMutableRawPointer?
            try check("MPI_Win_shared_query", MPI_Win_shared_query(window, Int32(rank), &size, &unit, &address))
            guard let address else { throw MPIError(call: "MPI_Win_shared_query", reason: "gave no address") }
            // Each process sees the memory at another page, so rounding up skips the same bytes everywhere.
            parts.append(address.alignedUp(toMultipleOf: Self.alignment))
        }
        // Plain loads and stores need an open epoch for `synchronize` to have a meaning.
        try check("MPI_Win_lock_all", MPI_Win_lock_all(MPI_MODE_NOCHECK, window))
        communicator = host
        self.byteCount = byteCount
        self.window = window
        self.parts = parts
    }

    /// The part of a rank of the host communicator: `byteCount` bytes at a multiple of 64.
    public func pointer(ofRank rank: Int) -> UnsafeMutableRawPointer { parts[rank] }

    /// Waits for all ranks of the host; what each wrote before, all read afterwards.
    public func synchronize() throws(MPIError) {
        try check("MPI_Win_sync", MPI_Win_sync(window))
        try communicator.barrier()
        try check("MPI_Win_sync", MPI_Win_sync(window))
    }

    /// Gives the memory back, when all ranks of the host have come here; the pointers are invalid afterwards.
    public func free() throws(MPIError) {
        guard window != nil else { return }
        try check("MPI_Win_unlock_all", MPI_Win_unlock_all(window))
        try check("MPI_Win_free", MPI_Win_free(&window))
        window = nil
    }

    /// MPI reports full shared memory as an internal error, or the job dies on first touch; so look before.
    private static func checkSpace(for byteCount: Int, _ host: Communicator) throws(MPIError) {
        #if os(Linux)
            let folder = "/dev/shm"
            var status = statvfs()
            // Rank 0 looks for all, so that all agree. A host without the folder keeps windows on a disk.
            var available = Int64.max
            if host.rank == 0, host.size > 1, statvfs(folder, &status) == 0 {
                available = Int64(status.f_bavail) * Int64(status.f_frsize)
            }
            try withUnsafeMutablePointer(to: &available) { (address) throws(MPIError) in
                try host.broadcast(UnsafeMutableBufferPointer(start: address, count: 1), from: 0)
            }
            if available < byteCount {
                throw MPIError(
                    call: "shared memory",
                    reason: "\(folder) on \(host.hostName) has \(available) bytes left, where \(byteCount) are needed")
            }
        #endif
    }
}
