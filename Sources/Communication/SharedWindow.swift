internal import CMPI
import Foundation

/// Memory that the ranks of one host share: each rank owns a part and reads or writes the others' directly.
///
/// The memory lives until the end of MPI: releasing it waits for all ranks, and a rank that unwinds after an error must end the job instead of waiting.
public final class SharedWindow {
    private let communicator: Communicator
    private let window: MPI_Win
    private let parts: [UnsafeMutableRawPointer]

    /// Parts start at the same place within a cache line and vector in every rank's view.
    private static let alignment = 64

    /// Allocates a part of `byteCount` bytes for this rank of a host communicator; each rank may ask for another number.
    ///
    /// All ranks throw the same error if the host's shared memory cannot hold the parts.
    public init(on host: Communicator, byteCount: Int) throws(MPIError) {
        guard try Self.hasSpace(for: byteCount, on: host) else {
            throw MPIError(
                call: "shared memory", reason: "\(Self.folder) on \(host.hostName) has too few bytes left")
        }
        let padded = Self.padded(byteCount)
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
        self.window = window
        self.parts = parts
    }

    /// The part of a rank of the host communicator, which begins at a multiple of 64.
    public func pointer(ofRank rank: Int) -> UnsafeMutableRawPointer { parts[rank] }

    /// Waits for all ranks of the host; what each wrote before, all read afterwards.
    public func synchronize() throws(MPIError) {
        try check("MPI_Win_sync", MPI_Win_sync(window))
        try communicator.barrier()
        try check("MPI_Win_sync", MPI_Win_sync(window))
    }

    /// Where the system keeps shared memory; a system without the folder keeps it on a disk.
    private static let folder = "/dev/shm"

    /// MPI places parts at 8 mod 64; room to align, and a size that gives all parts the same remainder.
    private static func padded(_ byteCount: Int) -> Int { (byteCount + 2 * alignment - 1) / alignment * alignment }

    /// Whether the host has room for a part of `byteCount` bytes of this rank and those that the others ask for; all ranks get the same answer.
    ///
    /// MPI reports full shared memory as an internal error, or the job dies when it first writes to it; so look before. A rank that is alone
    /// on its host shares nothing.
    public static func hasSpace(for byteCount: Int, on host: Communicator) throws(MPIError) -> Bool {
        guard host.size > 1 else { return true }
        var parts = [Int64](repeating: 0, count: host.size)
        let own = [Int64(padded(byteCount))]
        try parts.withUnsafeMutableBufferPointer { (parts) throws(MPIError) in
            try own.withUnsafeBufferPointer { (own) throws(MPIError) in try host.allGather(own, into: parts) }
        }
        // Rank 0 looks for all, so that all agree.
        var available = Int64.max
        #if os(Linux)
            var status = statvfs()
            if host.rank == 0, statvfs(folder, &status) == 0 {
                available = Int64(status.f_bavail) * Int64(status.f_frsize)
            }
        #endif
        try withUnsafeMutablePointer(to: &available) { (address) throws(MPIError) in
            try host.broadcast(UnsafeMutableBufferPointer(start: address, count: 1), from: 0)
        }
        return parts.reduce(0, +) <= available
    }
}
