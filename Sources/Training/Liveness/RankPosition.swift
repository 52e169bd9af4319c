import Communication
import Synchronization

/// Where this rank is in its run, for other threads of the process to see.
///
/// The training thread stores a word at each change of phase and does nothing else for it: no file, no lock, no allocation.
package enum RankPosition {
    /// A place in the run.
    package struct Place: Equatable, Sendable, CustomStringConvertible {
        /// The step at hand, from 1; 0 before the first.
        package var step: Int
        /// Changes of phase since the step began: the same on all ranks at the same place, so it tells who is behind.
        var change: Int
        package var phase: Phase

        package var description: String { "step \(step), \(phase)" }
    }

    /// Step, change and phase in one word, so that they are always of one place.
    private static let word = Atomic<UInt64>(0)
    private static let advanceCount = Atomic<UInt64>(0)
    /// What a thread beside the training thread writes: a phase's number, or -1.
    private static let background = Atomic<Int>(-1)

    /// Begins a step, counted from 1.
    package static func begin(step: Int) {
        word.store(UInt64(step) << 24 | word.load(ordering: .relaxed) & 0xFF, ordering: .relaxed)
    }

    /// Begins a phase. Called by the training thread only.
    package static func enter(_ phase: Phase) {
        let old = word.load(ordering: .relaxed)
        let change = min(0xFFFF, (old >> 8 & 0xFFFF) + 1)
        word.store((old >> 24) << 24 | change << 8 | UInt64(phase.rawValue), ordering: .relaxed)
        advance()
    }

    /// Notes that a long phase gets on: a batch is scored, a text tokenised, a tensor written.
    package static func advance() { advanceCount.wrappingAdd(1, ordering: .relaxed) }

    /// Notes what is written beside training: `checkpoint` for a shard, `commit`, or nothing.
    static func writes(_ phase: Phase?) {
        background.store(phase?.rawValue ?? -1, ordering: .relaxed)
        advance()
    }

    /// Does `body`; an error of this rank alone names the place where it happened, which may tell why.
    package static func located<Value>(_ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch let error as SharedError {
            throw error
        } catch {
            throw TrainingError("\(place): \(error)")
        }
    }

    /// Where the training thread is.
    package static var place: Place {
        let word = word.load(ordering: .relaxed)
        return Place(
            step: Int(word >> 24), change: Int(word >> 8 & 0xFFFF), phase: Phase(rawValue: Int(word & 0xFF)) ?? .startup
        )
    }

    /// What is written beside training.
    static var written: Phase? { Phase(rawValue: background.load(ordering: .relaxed)) }

    /// Grows whenever this rank gets on.
    static var advances: UInt64 { advanceCount.load(ordering: .relaxed) }
}
