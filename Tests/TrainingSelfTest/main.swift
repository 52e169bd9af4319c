// One rank of a job that tests training from inside: `TrainingSelfTest CHECK ARGUMENTS`. It drives the trainer step by step, which the
// worker's command line does not offer, and writes what it found for the test to compare.

import Communication
import Foundation
import Kernels
import Storage
import Training

/// A mistake in how the program was called, or a value that is not what it should be.
struct Mismatch: Error, CustomStringConvertible {
    let description: String
}

let arguments = Array(CommandLine.arguments.dropFirst())

/// The run that the arguments from `first` on describe: a run file and overrides.
func build(_ world: Communicator, argumentsFrom first: Int, ranksPerHost: Int? = nil) throws -> Trainer {
    guard arguments.count > first else { throw Mismatch(description: "arguments are missing") }
    let settings = try world.agree {
        try RunSettings.load(path: arguments[first], overrides: Array(arguments[(first + 1)...]))
    }
    return try TrainingRun(settings, world: world).build(ranksPerHost: ranksPerHost).trainer
}

let status = try withMPI(program: "self-test", exitCode: { _ in 7 }) { world throws in
    switch arguments.first {
    case "reference": try runReference(world, folder: arguments[1])
    case "weights":
        // Trains and writes the weights: `weights FILE RUN.yml KEY=VALUE ...`.
        let trainer = try build(world, argumentsFrom: 2)
        for number in 0..<trainer.stepCount { _ = try trainer.step(number) }
        try writeWeights(trainer, world, to: arguments[1])
    case "hosts":
        // The same with so many ranks to a host: `hosts RANKS FILE RUN.yml KEY=VALUE ...`.
        let trainer = try build(world, argumentsFrom: 3, ranksPerHost: Int(arguments[1]))
        for number in 0..<trainer.stepCount { _ = try trainer.step(number) }
        try writeWeights(trainer, world, to: arguments[2])
    case "bytes":
        // What travels in each step, with so many ranks to a host: `bytes RANKS RUN.yml KEY=VALUE ...`.
        let trainer = try build(world, argumentsFrom: 2, ranksPerHost: Int(arguments[1]))
        var before = trainer.exchangedByteCounts
        for number in 0..<trainer.stepCount {
            let step = try trainer.step(number)
            let now = trainer.exchangedByteCounts
            let words = trainer.model.wordGradient.count
            print("\(number) \(step.task) \(words) \(now.gradients - before.gradients) \(now.values - before.values)")
            before = now
        }
    case "fail":
        // One rank throws in the middle of training: `fail RANK RUN.yml KEY=VALUE ...`.
        let trainer = try build(world, argumentsFrom: 2)
        for number in 0..<trainer.stepCount {
            if number == 5, "\(world.rank)" == arguments[1] { throw Mismatch(description: "a rank of its own\nmind") }
            _ = try trainer.step(number)
        }
    case "stall":
        try trainWithOneBadRank(world, rank: Int(arguments[1]) ?? 0, how: arguments[2], mark: arguments[3])
    case "other weights", "other data": try compareWithOneOddRank(world)
    case "allocations":
        let settings = try RunSettings.load(path: arguments[1], overrides: Array(arguments[2...]))
        let run = try TrainingRun(settings, world: world)
        try ThreadTeam.with(threads: settings.threads) {
            let parts = try run.build()
            try countAllocations(parts.trainer, try run.makeStore(parts))
        }
    default: throw Mismatch(description: "unknown check \(arguments.first ?? "")")
    }
    return Int32(0)
}
exit(status)

/// Writes all weights from the first rank, after a look at whether the other ranks have the same.
func writeWeights(_ trainer: Trainer, _ world: Communicator, to path: String) throws {
    try trainer.gatherAllWords()
    let parameters = trainer.model.parameters
    let bytes = UnsafeRawBufferPointer(start: parameters.values, count: 4 * parameters.count)
    let sums = try world.allGather(Checksum.sha256(of: bytes))
    guard Set(sums).count == 1 else { throw Mismatch(description: "ranks have different weights: \(sums)") }
    guard world.rank == 0 else { return }
    try SafeTensors.write(
        parameters.all.map { parameter in
            let values = UnsafeBufferPointer(start: parameter.pointer, count: parameter.count)
            return (parameter.name, parameter.shape, Array(values))
        }, to: path)
}
