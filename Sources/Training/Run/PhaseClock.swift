import Foundation

/// What a rank is at: start-up, the phases of a training step, and what stands between steps.
package enum Phase: Int, CaseIterable, Sendable {
    case startup, sample, forward, backward, exchange, update, gather, log, evaluate, checkpoint, commit
}

/// How long each phase took so far: one clock reading at each change of phase, no allocation.
struct PhaseClock {
    private var sums = Array(repeating: UInt64(0), count: Phase.allCases.count)
    private var start: UInt64 = 0
    private var current: Phase?

    /// Ends the phase at hand and begins another, for other ranks to see.
    mutating func enter(_ phase: Phase) {
        RankPosition.enter(phase)
        start = stop()
        current = phase
    }

    /// Ends the phase at hand; returns the time.
    @discardableResult
    mutating func stop() -> UInt64 {
        let now = monotonicNanoseconds()
        if let current { sums[current.rawValue] += now - start }
        current = nil
        return now
    }

    /// Seconds that a phase took so far.
    func seconds(_ phase: Phase) -> Double {
        Double(sums[phase.rawValue]) / 1e9
    }
}

/// Nanoseconds of the monotonic clock.
func monotonicNanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}
