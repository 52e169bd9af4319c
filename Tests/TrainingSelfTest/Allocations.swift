import Foundation
import Training

/// Prints how often each step allocated: `STEP: COUNT`, counted by the preloaded library of `Tests/Allocations`.
func countAllocations(_ trainer: Trainer) throws {
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
        let step = try trainer.step(number)
        let found = count(0)
        print("step \(step.number + 1) of task \(step.task): \(found)")
    }
}
