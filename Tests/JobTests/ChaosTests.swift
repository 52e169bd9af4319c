import Foundation
import TestSupport
import Testing

/// A short run of `scripts/chaos.sh`.
@Suite(.serialized) struct ChaosTests {
    @Test func `A run that is killed in each phase ends with the weights of one that was left alone`() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().path
        let result = try RunningProgram(["\(root)/scripts/chaos.sh", "6", "1"]).wait(timeout: 580)
        #expect(result.status == 0, "\(result.error)")
        #expect(result.output.hasSuffix("6 passed, 0 failed\n"), "\(result.output)")
    }
}
