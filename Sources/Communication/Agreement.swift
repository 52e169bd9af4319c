import Foundation

/// A failure that all ranks know of and throw at the same point; the first of them reports it for all.
public struct SharedError: Error, Equatable, CustomStringConvertible {
    /// One sentence.
    public let description: String
    /// The job's exit code for it.
    public let exitCode: Int32

    /// A failure with this sentence; unless another exit code is given, one that says that a person must put something right (`EX_CONFIG`).
    public init(_ description: String, exitCode: Int32 = 78) {
        // Ranks tell a failure by its sentence.
        self.description = description.isEmpty ? "failed without a reason" : description
        self.exitCode = exitCode
    }

    /// An error as all ranks will throw it.
    init(_ error: any Error) {
        self = error as? SharedError ?? SharedError("\(error)")
    }
}

extension Communicator {
    /// Runs `body` on all ranks; where any of them throws, all throw the same error, which gives every reason once.
    ///
    /// For what ranks do alike before training, such as reading the same file: a mistake in it is one message, not one for each rank.
    /// - Parameter body: nothing that waits for other ranks.
    public func agree<Value>(_ body: () throws -> Value) throws -> Value {
        let result = Result { try body() }
        var reason = ""
        var exitCode: Int32 = 0
        if case .failure(let error) = result {
            let shared = SharedError(error)
            reason = shared.description
            exitCode = shared.exitCode
        }
        let reasons = try allGather(reason)
        if reasons.allSatisfy(\.isEmpty) { return try result.get() }
        let codes = try allGather("\(exitCode)").compactMap { Int32($0) }
        let code = codes.first { $0 != 0 } ?? 1
        if Set(reasons).count == 1 { throw SharedError(reason, exitCode: code) }
        let hosts = try allGather(hostName)
        throw SharedError(
            reasons.indices.filter { !reasons[$0].isEmpty }.map { "rank \($0) on \(hosts[$0]): \(reasons[$0])" }
                .joined(separator: "; "), exitCode: code)
    }

    /// What `body` gives on the first rank, on all ranks; where it throws, all throw the same error.
    public func fromFirst<Value: Codable>(_ body: () throws -> Value) throws -> Value {
        var message: [UInt8] = []
        if rank == 0 {
            let answer: Answer<Value>
            do {
                answer = .value(try body())
            } catch {
                let shared = SharedError(error)
                answer = .failure(shared.description, exitCode: shared.exitCode)
            }
            message = Array(try JSONEncoder().encode(answer))
        }
        try broadcast(&message, from: 0)
        switch try JSONDecoder().decode(Answer<Value>.self, from: Data(message)) {
        case .value(let value): return value
        case .failure(let reason, let exitCode): throw SharedError(reason, exitCode: exitCode)
        }
    }

    /// Runs `body` on the first rank while the others wait; where it throws, all throw the same error.
    public func byFirst(_ body: () throws -> Void) throws {
        _ = try fromFirst {
            try body()
            return true
        }
    }
}

/// What the first rank tells the others.
private enum Answer<Value: Codable>: Codable {
    case value(Value)
    case failure(String, exitCode: Int32)
}
