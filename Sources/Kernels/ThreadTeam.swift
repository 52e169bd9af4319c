import Foundation
import Synchronization

/// The threads of a rank: one that calls the kernels, and helpers to which they hand parts of their rows or columns.
///
/// An element's bits do not depend on which rows and columns are computed together with it, so they do not depend on the number of threads.
/// The kernels find the team of the thread that calls them; a thread without one works alone.
public final class ThreadTeam: @unchecked Sendable {  // what threads share is guarded by `round` and `unfinished`
    /// The system does not start a thread.
    public struct Failure: Error, CustomStringConvertible {
        /// A sentence.
        public let description: String
    }

    /// Elements of a row-wise kernel that are worth a thread: what a hand-over costs, some microseconds, is little beside them.
    public static let leastElements = 1 << 13

    /// Calls `body` with `count - 1` helpers for the kernels that it calls on this thread. They end with it.
    /// - Throws: `Failure`, or what `body` throws.
    public static func with<Result>(threads count: Int, _ body: () throws -> Result) throws -> Result {
        guard count > 1 else { return try body() }
        let place = Place.ofThread.current
        precondition(place.team == nil, "a thread has one team at a time")
        let team = ThreadTeam(count)
        try team.startHelpers()
        place.team = team
        defer {
            place.team = nil
            team.end(helpers: count - 1)
        }
        return try body()
    }

    /// Number of threads that a kernel called on this thread has.
    public static var threadCount: Int { Place.ofThread.current.team?.count ?? 1 }

    /// The calling thread's number in the team that it works for, below that team's number of threads: which of several scratch memories it may use.
    public static var currentPart: Int { Place.ofThread.current.part }

    /// The calling thread's team, unless it is at work already: what is called within a part is not shared out again.
    @usableFromInline
    static var available: ThreadTeam? {
        guard let team = Place.ofThread.current.team, !team.isAtWork else { return nil }
        return team
    }

    /// Where a thread's team is kept.
    private final class Place {
        static let ofThread = ThreadLocal { Place() }
        var team: ThreadTeam?
        var part = 0
    }

    @usableFromInline let count: Int
    private var isAtWork = false
    private var work: Work?
    /// Rises with each piece of work, which helpers wait for.
    private let round = Atomic<Int>(0)
    /// Helpers that are not done with it.
    private let unfinished = Atomic<Int>(0)
    private let sleepers = Atomic<Int>(0)
    private let wake = NSCondition()

    /// What all threads do: `perform(context, part)`.
    private struct Work {
        let context: UnsafeRawPointer
        let perform: (UnsafeRawPointer, Int) -> Void
    }

    private init(_ count: Int) { self.count = count }

    private func startHelpers() throws {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        for part in 1..<count {
            let helper = Unmanaged.passRetained(Helper(team: self, part: part))
            var thread = pthread_t(bitPattern: 0)
            let code = pthread_create(
                &thread, &attributes,
                { helper in
                    // Linux gives an optional, Darwin none.
                    let helper: UnsafeMutableRawPointer? = helper
                    Unmanaged<Helper>.fromOpaque(helper!).takeRetainedValue().run()
                    return nil
                }, helper.toOpaque())
            guard code == 0 else {
                helper.release()
                end(helpers: part - 1)
                throw Failure(
                    description: "thread \(part + 1) of \(count) does not start: \(String(cString: strerror(code))); "
                        + "lower `threads`, or raise the limit of processes")
            }
        }
    }

    private final class Helper {
        let team: ThreadTeam
        let part: Int

        init(team: ThreadTeam, part: Int) {
            self.team = team
            self.part = part
        }

        func run() { team.help(part) }
    }

    /// Calls `perform(context, part)` for each part from 0 to below `count`, each on a thread of its own.
    @usableFromInline
    func run(_ context: UnsafeRawPointer, _ perform: @escaping (UnsafeRawPointer, Int) -> Void) {
        isAtWork = true
        begin(Work(context: context, perform: perform), helpers: count - 1)
        perform(context, 0)
        waitForHelpers()
        isAtWork = false
    }

    private func begin(_ next: Work?, helpers: Int) {
        work = next
        unfinished.store(helpers, ordering: .relaxed)
        round.add(1, ordering: .sequentiallyConsistent)
        guard sleepers.load(ordering: .sequentiallyConsistent) > 0 else { return }
        wake.lock()
        wake.broadcast()
        wake.unlock()
    }

    private func waitForHelpers() {
        var looks = 0
        while unfinished.load(ordering: .acquiring) > 0 { ThreadTeam.pause(&looks) }
    }

    /// Ends the helpers.
    private func end(helpers: Int) {
        begin(nil, helpers: helpers)
        waitForHelpers()
    }

    private func help(_ part: Int) {
        Place.ofThread.current.part = part
        var done = 0
        while true {
            waitForRound(after: done)
            done += 1
            let work = work
            if let work { work.perform(work.context, part) }
            unfinished.subtract(1, ordering: .releasing)
            if work == nil { return }
        }
    }

    /// Most pieces of work follow each other closely, so a helper looks for a while before it sleeps.
    private func waitForRound(after done: Int) {
        var looks = 0
        while round.load(ordering: .acquiring) == done {
            if looks < ThreadTeam.looksBeforeSleep {
                ThreadTeam.pause(&looks)
                continue
            }
            wake.lock()
            sleepers.add(1, ordering: .sequentiallyConsistent)
            while round.load(ordering: .sequentiallyConsistent) == done { wake.wait() }
            sleepers.subtract(1, ordering: .relaxed)
            wake.unlock()
        }
    }

    private static let looksBeforeYield = 2_000
    private static let looksBeforeSleep = 2_200

    /// Between two looks: at first nothing, then others may have the processor.
    private static func pause(_ looks: inout Int) {
        looks += 1
        if looks > looksBeforeYield { sched_yield() }
    }
}

/// Calls `body(context, part)` for parts that together are `0 ..< count`, on the threads of the calling thread's team.
///
/// - Parameters:
///   - count: number of rows or columns to be shared out.
///   - unit: parts begin at multiples of it.
///   - least: how many are worth a thread.
///   - context: all that `body` needs, which captures nothing: so nothing is allocated for it.
@inlinable
@inline(__always)
public func shareOut<Context>(
    _ count: Int, unit: Int = 1, least: Int = 1, _ context: Context, _ body: @escaping (Context, Range<Int>) -> Void
) {
    let least = max(1, least)
    guard count >= 2 * least, let team = ThreadTeam.available else {
        body(context, 0..<count)
        return
    }
    let parts = min(team.count, count / least)
    withUnsafePointer(to: SharedWork(count: count, unit: unit, parts: parts, context: context, body: body)) { work in
        team.run(UnsafeRawPointer(work)) { work, part in
            work.assumingMemoryBound(to: SharedWork<Context>.self).pointee.perform(part)
        }
    }
}

/// What `shareOut` hands to the threads.
@usableFromInline
struct SharedWork<Context> {
    @usableFromInline let count, unit, parts: Int
    @usableFromInline let context: Context
    @usableFromInline let body: (Context, Range<Int>) -> Void

    @inlinable
    init(count: Int, unit: Int, parts: Int, context: Context, body: @escaping (Context, Range<Int>) -> Void) {
        self.count = count
        self.unit = unit
        self.parts = parts
        self.context = context
        self.body = body
    }

    @inlinable
    @inline(__always)
    func perform(_ part: Int) {
        let range = start(part)..<start(part + 1)
        if !range.isEmpty { body(context, range) }
    }

    /// Where a part begins; those beyond the last are empty.
    @inlinable
    @inline(__always)
    func start(_ part: Int) -> Int {
        let units = (count + unit - 1) / unit
        return min(count, units * min(part, parts) / parts * unit)
    }
}

/// Calls `body(context, row)` for every row of a matrix of these sizes, on the threads of the calling thread's team.
@inline(__always)
func forEachRow<Context>(of matrix: Matrix, _ context: Context, _ body: @escaping (Context, Int) -> Void) {
    let least = ThreadTeam.leastElements / max(1, matrix.columns)
    shareOut(matrix.rows, least: least, RowWork(context: context, body: body)) { work, rows in
        for row in rows { work.body(work.context, row) }
    }
}

private struct RowWork<Context> {
    let context: Context
    let body: (Context, Int) -> Void
}
