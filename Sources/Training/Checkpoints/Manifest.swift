import Crypto
import Foundation
import Storage

/// `manifest.json` of a checkpoint: what it is, and the size and SHA-256 of each of its files. It ends in the SHA-256 of its own preceding
/// bytes, so a damaged manifest is known as such.
struct Manifest: Codable, Equatable {
    /// The version that this program writes, and the newest that it reads.
    static let formatVersion = 1
    static let name = "manifest.json"

    /// One file of the checkpoint.
    struct File: Codable, Equatable {
        var name: String
        var size: Int
        var sha256: String
    }

    var formatVersion = Manifest.formatVersion
    var step: Int
    var seed: UInt64
    /// The run file in effect.
    var settings: String
    /// The tasks' definitions and the names of their token files, which tell the contents of data and vocabulary.
    var tasks: [String]
    var rankCount: Int
    /// OpenBLAS's version and options, and its kernel set: what the bits of products depend on.
    var matrixLibrary: String
    var files: [File]

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

    /// Reads and checks the manifest at `path`.
    init(path: String) throws {
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
            self = try decoder.decode(Manifest.self, from: data)
        } catch {
            throw TrainingError("\(path): is no manifest of a checkpoint")
        }
        guard formatVersion <= Manifest.formatVersion else {
            throw TrainingError(
                "\(path): has format version \(formatVersion); this program reads up to \(Manifest.formatVersion): use a newer one"
            )
        }
        guard files.allSatisfy({ !$0.name.contains("/") && !$0.name.hasPrefix(".") }) else {
            throw TrainingError("\(path): names a file outside of its folder")
        }
    }

    init(
        step: Int, settings: RunSettings, tasks: [String], rankCount: Int, matrixLibrary: String, files: [File]
    ) {
        self.step = step
        self.seed = settings.seed
        self.settings = settings.yaml
        self.tasks = tasks
        self.rankCount = rankCount
        self.matrixLibrary = matrixLibrary
        self.files = files
    }

    /// Throws unless every file of the checkpoint in `folder` has the bytes that were written.
    func verify(folder: String) throws {
        for file in files {
            let path = "\(folder)/\(file.name)"
            guard try Checksum.sha256(ofFile: path) == file.sha256 else {
                throw TrainingError("\(path): is damaged: its bytes do not fit the SHA-256 in \(Manifest.name)")
            }
        }
    }
}
