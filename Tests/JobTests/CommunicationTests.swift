import TestSupport
import Testing

/// MPI in real jobs: `CommunicationSelfTest` runs on every rank and fails the job on a wrong value.
@Suite(.serialized)
struct CommunicationTests {
    @Test(arguments: ["collectives", "bytes", "messages", "window"], [1, 2, 3])
    func `Ranks exchange the right values`(check: String, ranks: Int) throws {
        let result = try runJob(ranks: ranks, executable: "CommunicationSelfTest", arguments: [check])
        #expect(result.status == 0, "\(result.error)")
    }

    @Test func `A job returns what its body returned, and each rank knows its place`() throws {
        let result = try runJob(ranks: 3, executable: "CommunicationSelfTest", arguments: ["value"])
        #expect(result.status == 75)
        let lines = result.output.split(separator: "\n").sorted()
        #expect(lines.count == 3)
        for (rank, line) in lines.enumerated() { #expect(line.hasPrefix("rank \(rank) of 3 on ")) }
    }

    @Test(arguments: [2, 3])
    func `A rank that throws ends the job at once, with its message and exit code`(ranks: Int) throws {
        let result = try runJob(ranks: ranks, executable: "CommunicationSelfTest", arguments: ["fail"], timeout: 20)
        #expect(result.status == 7)
        let message = result.error.split(separator: "\n").filter { $0.hasPrefix("self-test: rank ") }
        #expect(message.count == 1)
        #expect(message.first?.hasPrefix("self-test: rank 1 on ") == true)
        // Line breaks would tear the message apart in a log of many ranks.
        #expect(message.first?.hasSuffix(": no such value") == true)
    }

    @Test func `A wrong call names the MPI function and MPI's reason`() throws {
        let result = try runJob(ranks: 1, executable: "CommunicationSelfTest", arguments: ["misuse"], timeout: 20)
        #expect(result.status == 7)
        #expect(result.error.contains("MPI_Isend: MPI_ERR_RANK: invalid rank"))
    }
}
