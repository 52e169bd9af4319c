// One rank of a job that tests the Communication module: `CommunicationSelfTest CHECK`. A rank that finds a wrong
// value throws, and so fails the job.

import Communication
import Foundation

/// A value that is not what it should be.
struct Mismatch: Error, CustomStringConvertible {
    let description: String
}

/// Throws unless both are equal.
func expect<Value: Equatable>(_ what: String, _ found: Value, equals expected: Value) throws {
    if found != expected { throw Mismatch(description: "\(what): \(found) instead of \(expected)") }
}

let arguments = CommandLine.arguments.dropFirst()
let value = try withMPI(program: "self-test", exitCode: { _ in 7 }) { world in
    switch arguments.first {
    case "collectives": try checkCollectives(world)
    case "bytes": try checkBytes(world)
    case "messages": try checkMessages(world)
    case "window": try checkWindow(world)
    case "fail":
        // Rank 1 fails with a window open and the others in a barrier that it never enters.
        let window = try SharedWindow(on: world.hostCommunicator(), byteCount: 1000)
        if world.rank == 1 { throw Mismatch(description: "no such\nvalue") }
        try window.synchronize()
    case "misuse":
        let nobody = UnsafeBufferPointer<Float>(start: nil, count: 0)
        try world.send(nobody, to: world.size, tag: 0, Requests(capacity: 1))
    case "value":
        print("rank \(world.rank) of \(world.size) on \(world.hostName)")
        return Int32(75)
    default: throw Mismatch(description: "unknown check \(arguments.first ?? "")")
    }
    return 0
}
exit(value)
