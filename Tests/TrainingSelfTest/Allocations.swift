import Foundation
import Training

/// Prints how often each step allocated: `STEP: COUNT`, counted by the preloaded library of `Tests/Allocations`.
///
/// Every fifth step a checkpoint begins, which other threads write during the steps that follow.
func countAllocations(_ trainer: Trainer, _ checkpoints: CheckpointStore) throws {
    typealias Count = @convention(c) (Int32) -> Int
    guard let symbol = dlsym(UnsafeMutableRawPointer(bitPattern: 0), "count_allocations_of_this_thread") else {
        throw Mismatch(description: "the counting library is not preloaded")
    }
    let count = unsafeBitCast(symbol, to: Count.self)
    // The counter must see what Swift allocates, or zero would mean nothing.
    _ = count(1)
    let probe = [UInt8](repeating: 1, count: CommandLine.arguments.count + 1000)
    print("probe of \(probe.count): \(count(0))")
    for number in 0..<trainer.stepCount {
        _ = count(1)
        let step = try trainer.step(number, telling: checkpoints.flags)
        let found = count(0)
        try checkpoints.advance(step.heard)
        print("step \(step.number + 1) of task \(step.task): \(found)")
        if step.number % 5 == 4 { try checkpoints.begin(step: step.number + 1, score: nil) }
    }
    try checkpoints.finish(step: trainer.stepCount)
}
