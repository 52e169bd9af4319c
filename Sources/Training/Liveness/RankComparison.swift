import Communication
import Foundation
import Model
import Storage

/// What all ranks must have in common, or they would not compute the same: compared at the start, a difference refused by host name.
/// A rank alone computes no checksum.
package struct RankComparison {
    private let world: Communicator
    private let hosts: [String]

    package init(_ world: Communicator) throws {
        self.world = world
        hosts = try world.allGather(world.hostName)
    }

    /// Throws unless all ranks run the same program, which decides the bits of all weights, with the same settings.
    func requireSameProgram(_ settings: RunSettings) throws {
        guard world.size > 1 else { return }
        try requireSame(try world.agree { try RankComparison.programChecksum() }) {
            "\($0.other) runs another build of the program than \($0.first); copy the same mtdnn-worker to all hosts"
        }
        try requireSame(settings.yaml) {
            let differences = RankComparison.differences($0.otherText, from: $0.firstText).joined(separator: "; ")
            return
                "\($0.other) has other settings than \($0.first) (\(differences)); give all ranks the same run file and overrides"
        }
    }

    /// Throws unless all ranks read the same token files.
    package func requireSameData(_ paths: [String]) throws {
        guard world.size > 1 else { return }
        for path in paths {
            let sum = try world.agree { try Checksum.sha256(ofFile: path) }
            RankPosition.advance()
            try requireSame(sum) {
                "\($0.other) reads other contents in \(path) than \($0.first); let `prepared` name a folder that all hosts share"
            }
        }
    }

    /// Throws unless all ranks hold the same weights.
    package func requireSameWeights(_ parameters: Parameters) throws {
        guard world.size > 1 else { return }
        let values = UnsafeRawBufferPointer(start: parameters.values, count: 4 * parameters.count)
        try requireSame(Checksum.sha256(of: values)) {
            "\($0.other) begins with other weights than \($0.first); let `encoder` and `folder` name folders with the same contents on all hosts"
        }
    }

    /// A rank that differs from the first one.
    private struct Difference {
        /// The rank and its host.
        let other: String
        /// The first rank and its host.
        let first: String
        /// What the rank has.
        let otherText: String
        /// What the first rank has.
        let firstText: String
    }

    /// Throws a sentence where a rank has another text than the first one.
    private func requireSame(_ text: String, _ sentence: (Difference) -> String) throws {
        let texts = try world.allGather(text)
        guard let other = texts.firstIndex(where: { $0 != texts[0] }) else { return }
        throw SharedError(
            sentence(
                Difference(
                    other: place(other), first: place(0), otherText: texts[other], firstText: texts[0])))
    }

    private func place(_ rank: Int) -> String { "rank \(rank) on \(hosts[rank])" }

    /// What differs between two run files that this program wrote, as `KEY is VALUE, not VALUE`.
    static func differences(_ text: String, from other: String) -> [String] {
        func entries(_ text: String) -> [(key: String, value: String)] {
            text.split(separator: "\n").map { line in
                let parts = line.split(separator: ":", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
                return (parts[0], parts.count == 2 ? parts[1] : "")
            }
        }
        let mine = entries(text), others = entries(other)
        let keys = mine.map(\.key) + others.map(\.key).filter { key in !mine.contains { $0.key == key } }
        return keys.compactMap { key in
            let value = mine.first { $0.key == key }?.value ?? "none"
            let expected = others.first { $0.key == key }?.value ?? "none"
            return value == expected ? nil : "\(key) is \(value), not \(expected)"
        }
    }

    /// SHA-256 of the program that runs.
    static func programChecksum() throws -> String {
        #if os(Linux)
            return try Checksum.sha256(ofFile: "/proc/self/exe")  // even where its file was replaced
        #else
            return try Checksum.sha256(ofFile: Bundle.main.executablePath ?? CommandLine.arguments[0])
        #endif
    }
}
