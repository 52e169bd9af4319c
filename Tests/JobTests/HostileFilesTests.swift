#if os(Linux)
    import Foundation
    import Storage
    import TestSupport
    import Testing

    /// Ten thousand mutants of all formats, the same in every run; `scripts/fuzz.sh` reads others.
    @Suite(.serialized) final class HostileFilesTests {
        private let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("hostile-\(UUID().uuidString)").path

        init() throws {
            let result = try runAlone(executable: "HostileFiles", arguments: ["prepare", folder])
            try #require(result.status == 0, "\(result.error)")
        }

        deinit {
            do { try FileManager.default.removeItem(atPath: folder) } catch { Issue.record(error) }
        }

        /// The numbers of the line that a trial prints.
        private func read(_ format: String, _ count: Int) throws -> [Int] {
            let result = try runAlone(
                executable: "HostileFiles", arguments: [format, "1", "\(count)", folder],
                // A crash of HDF5 is no news.
                environment: ["SWIFT_BACKTRACE": "enable=no"], timeout: 600)
            #expect(result.status == 0, "\(result.output)\(result.error)")
            print(result.output, terminator: "")
            return result.output.split { !$0.isNumber }.compactMap { Int($0) }
        }

        @Test func `Each of ten thousand mutants reads well or is refused by name, in 1 GiB and without a crash`()
            throws
        {
            let formats = try runAlone(executable: "HostileFiles", arguments: ["formats"]).output
                .split(separator: "\n").map { $0.split(separator: " ") }
            try #require(formats.count == 17)
            var total = 0
            for format in formats {
                let count = try #require(Int(format[1]))
                let numbers = try read(String(format[0]), count)
                try #require(numbers.count == 5 && numbers[0] == count, "\(numbers)")
                let (accepted, refused, crashed, fitting) = (numbers[1], numbers[2], numbers[3], numbers[4])
                #expect(accepted + refused + crashed == count)
                #expect(accepted > 0 && refused > count / 20, "\(format): \(numbers)")
                // Checksums guard these; half of the mutants get past them.
                let isGuarded = ["manifest", "checkpoint", "tokens"].contains(format[0])
                #expect(fitting == (isGuarded ? count / 2 : 0))
                if isGuarded { #expect(refused >= count / 2 - accepted) }
                if !["checkpoint", "tokens"].contains(format[0]) { #expect(crashed == 0) }
                total += count
            }
            #expect(total == 10_000)
        }
    }
#endif
