import Crypto
import Foundation
import Storage

/// `manifest.json` of a checkpoint: what it is, and the size and SHA-256 of each of its files. It ends in the SHA-256 of its own preceding
/// bytes, so a damaged manifest is known as such.
struct Manifest: Codable, Equatable, Sendable {
    /// The version that this program writes, and the only one that it reads.
    static let formatVersion = 3
    static let name = "manifest.json"

    /// One file of the checkpoint.
    struct File: Codable, Equatable, Sendable {
        var name: String
        var size: Int
        var sha256: String
    }

    /// What all checkpoints of a run have in common.
    struct Origin: Codable, Equatable, Sendable {
        var seed: UInt64
        /// The run file in effect.
        var settings: String
        /// The names of each task's token files, which tell the contents of data and vocabulary.
        var tasks: [String]
        /// The file that defines the tasks, so that a checkpoint can predict without it.
        var taskFile: String
        /// The encoder's sizes under the names of BERT's `config.json`.
        var encoder: [String: String]
        /// SHA-256 of the folder's files that a pretrained encoder came from; empty for one that began from nothing.
        var encoderFiles: String
        /// What token ids depend on besides the text: the vocabulary and the tokenizer's options.
        var tokenizer: String
        /// SHA-256 of the program that wrote it, on which the bits of all weights depend.
        var program: String
        /// The shape of every parameter.
        var parameters: [String: [Int]]
    }

    var formatVersion = Manifest.formatVersion
    var step: Int
    /// The mean of the tasks' first metrics, where the tasks were scored at this step.
    var score: Double?
    var rankCount: Int
    var origin: Origin
    var files: [File]

    /// The names of the shards, in the order of ranks.
    var shardNames: [String] { (0..<rankCount).map { Shard.name(rank: $0, of: rankCount) } }
    /// Bytes of all files.
    var byteCount: Int { files.reduce(0) { $0 + $1.size } }
}

// How it is written.
extension Manifest {
    private static let hashKey = "\"sha256_of_all_above\""

    /// The manifest as it is written.
    func encoded() throws -> Data {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        var text = String(decoding: try encoder.encode(self), as: UTF8.self)
        precondition(text.hasSuffix("\n}"))
        text.removeLast(2)
        text += ",\n"
        let hash = Checksum.sha256(of: Array(text.utf8))
        return Data("\(text)  \(Manifest.hashKey) : \"\(Manifest.ending(hash))".utf8)
    }

    /// All that follows the quotation mark before the hash.
    private static func ending(_ hash: String) -> String { "\(hash)\"\n}\n" }
}

// How it is read.
extension Manifest {
    /// A checkpoint of a newer or an older program is not damaged: it is no reason to fall back to one before it.
    struct OtherFormat: Error, CustomStringConvertible {
        let description: String
    }

    private struct Version: Decodable { var formatVersion: Int }

    /// Reads and checks the manifest at `path`.
    init(path: String) throws {
        try Manifest.requireRegularFile(path)
        guard let data = FileManager.default.contents(atPath: path) else {
            throw TrainingError("\(path): cannot be read")
        }
        let mark = Data("  \(Manifest.hashKey) : \"".utf8)
        guard let range = data.range(of: mark, options: .backwards) else {
            throw TrainingError("\(path): is damaged: its own SHA-256 is missing")
        }
        let hash = Checksum.sha256(of: Array(data[..<range.lowerBound]))
        guard data[range.upperBound...] == Data(Manifest.ending(hash).utf8) else {
            throw TrainingError("\(path): is damaged: its bytes do not fit its own SHA-256")
        }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        do {
            let version = try decoder.decode(Version.self, from: data).formatVersion
            guard version == Manifest.formatVersion else {
                let cure = version > Manifest.formatVersion ? "a newer one" : "the older one that wrote it"
                throw OtherFormat(
                    description: "\(path): has format version \(version), and this program reads "
                        + "\(Manifest.formatVersion): use \(cure)")
            }
            self = try decoder.decode(Manifest.self, from: data)
        } catch let error as OtherFormat {
            throw error
        } catch {
            throw TrainingError("\(path): is no manifest of a checkpoint")
        }
        try requireOwnFiles(path)
    }

    /// The files of a checkpoint have names of the program's own making: no others, and none outside of the folder.
    private func requireOwnFiles(_ path: String) throws {
        guard (1...1024).contains(rankCount), step >= 0 else {
            throw TrainingError("\(path): speaks of \(rankCount) ranks and step \(step)")
        }
        // Sizes are added and multiplied freely from here on.
        let largest = 1 << 40
        for (name, shape) in origin.parameters {
            // It becomes the name of a dataset, of which a zero would cut off the rest.
            guard !name.isEmpty, name.utf8.allSatisfy({ $0 > 32 && $0 < 127 && $0 != UInt8(ascii: "/") }) else {
                throw TrainingError("\(path): names a parameter \(name.debugDescription)")
            }
            let isPossible = !shape.isEmpty && shape.allSatisfy { (1...largest).contains($0) }
            guard isPossible, shape.reduce(1.0, { $0 * Double($1) }) <= Double(largest) else {
                throw TrainingError("\(path): gives \(name) the impossible shape \(shape)")
            }
        }
        var missing = shardNames + [ShardView.fileName]
        for file in files {
            guard let index = missing.firstIndex(of: file.name) else {
                throw TrainingError(
                    "\(path): names \"\(file.name)\" among its files, which is none of a checkpoint of \(counted(rankCount, "rank")) "
                        + "or is named twice")
            }
            missing.remove(at: index)
            guard (0...largest).contains(file.size) else {
                throw TrainingError("\(path): gives \(file.name) the impossible size \(file.size)")
            }
        }
        guard missing.isEmpty else { throw TrainingError("\(path): lacks \(missing.joined(separator: ", "))") }
    }

    /// Throws unless there is a file itself, not a link to one elsewhere.
    private static func requireRegularFile(_ path: String) throws {
        var status = stat()
        guard lstat(path, &status) == 0 else {
            throw TrainingError("\(path): \(errno == ENOENT ? "is missing" : String(cString: strerror(errno)))")
        }
        guard status.st_mode & S_IFMT == S_IFREG else { throw TrainingError("\(path): is no regular file") }
    }
}

// How files are checked against it.
extension Manifest {
    /// The description of a file that has been written without an error.
    static func describe(_ path: String) throws -> File {
        var size = 0
        let sum = try Checksum.sha256(ofFile: path) { bytes in
            // A checkpoint of gigabytes on a slow disk is no stall.
            RankPosition.advance()
            size += bytes.count
        }
        return File(name: (path as NSString).lastPathComponent, size: size, sha256: sum)
    }

    /// A sentence for each file in `folder` that does not have the bytes that were written.
    func damage(in folder: String) -> [String] {
        files.compactMap { file in
            do {
                try check(file, "\(folder)/\(file.name)")
                return nil
            } catch {
                return "\(error)"
            }
        }
    }

    private func check(_ file: File, _ path: String) throws {
        try Manifest.requireRegularFile(path)
        let found = try Manifest.describe(path)
        guard found.size == file.size else {
            throw TrainingError("\(path): is damaged: it has \(found.size) bytes instead of \(file.size)")
        }
        guard found.sha256 == file.sha256 else {
            throw TrainingError("\(path): is damaged: its bytes do not fit the SHA-256 in \(Manifest.name)")
        }
    }
}
