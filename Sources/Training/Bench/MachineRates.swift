import Communication
import Foundation
import Kernels

/// What the machine gives at this moment: the yardsticks that a step's figures are held against, measured by all ranks at once.
struct MachineRates {
    private let world: Communicator
    /// Threads of each rank.
    private let threads: Int
    private let library = MatrixLibrary()
    /// Whose sgemm it is.
    var libraryName: String { library.name }

    init(_ world: Communicator, threads: Int) {
        self.world = world
        self.threads = threads
    }

    /// Operations per second of OpenBLAS's sgemm on this rank, all threads together, each with products of its own:
    /// 2048 x 768 by 768 x 3072, the median of several.
    func sgemm() throws -> Double {
        let (m, n, k) = (2048, 3072, 768)
        try world.barrier()
        let seconds = median(
            ofThreads: threads, repetitions: 7,
            prepare: {
                let buffers = [m * k, n * k, m * n].map { FloatBuffer(count: $0) }
                for buffer in buffers { buffer.pointer.update(repeating: 0.5, count: buffer.count) }
                return buffers
            },
            work: { [library] buffers in
                library.multiply(
                    Matrix(buffers[0].pointer, rows: m, columns: k), Matrix(buffers[1].pointer, rows: k, columns: n),
                    into: Matrix(buffers[2].pointer, rows: m, columns: n))
            })
        return seconds.reduce(0) { $0 + Double(2 * m * n * k) / $1 }
    }

    /// Seconds that reading and writing `byteCount` bytes once takes on this rank, its threads sharing them.
    func readingAndWriting(byteCount: Int) throws -> Double {
        let count = byteCount / 4 / threads
        try world.barrier()
        let seconds = median(
            ofThreads: threads, repetitions: 5,
            prepare: {
                let buffer = FloatBuffer(count: count)
                buffer.pointer.update(repeating: 1, count: count)
                return [buffer]
            },
            work: { buffers in
                let values = buffers[0].pointer
                for index in 0..<count { values[index] = -values[index] }
            })
        return seconds.max() ?? 0
    }

    /// Each thread's median time of `work`; one run before is not counted.
    private func median(
        ofThreads count: Int, repetitions: Int, prepare: @escaping @Sendable () -> [FloatBuffer],
        work: @escaping @Sendable ([FloatBuffer]) -> Void
    ) -> [Double] {
        let results = Results()
        let group = DispatchGroup()
        for _ in 0..<count {
            group.enter()
            Thread.detachNewThread {
                let buffers = prepare()
                work(buffers)
                let times = (0..<repetitions).map { _ in
                    let start = monotonicNanoseconds()
                    work(buffers)
                    return Double(monotonicNanoseconds() - start) / 1e9
                }
                results.add(times.median)
                group.leave()
            }
        }
        group.wait()
        return results.values
    }

    private final class Results: @unchecked Sendable {  // `lock` guards the values
        private let lock = NSLock()
        private(set) var values: [Double] = []

        func add(_ value: Double) { lock.withLock { values.append(value) } }
    }
}

extension [Double] {
    /// The middle value, or the mean of the two middle ones.
    var median: Double {
        guard !isEmpty else { return 0 }
        let sorted = sorted()
        return (sorted[(count - 1) / 2] + sorted[count / 2]) / 2
    }
}
