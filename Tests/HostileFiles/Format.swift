import Data
import Foundation
import Storage
import Training

/// A format of files: which whole files there are, and what reads them.
struct Format: Sendable {
    /// A file that is falsified.
    struct Mutant {
        /// Where readers look for it.
        let path: String
        let original: [UInt8]
        let mutator: Mutator
        /// Makes the checksums around the falsified bytes fit them again; nil where there are none.
        var fit: (([UInt8]) throws -> [UInt8])?

        /// Writes the mutant that belongs to `seed`, or the whole file.
        func write(_ seed: UInt64?) throws {
            guard let seed else { return try write(original) }
            let bytes = mutator.mutant(of: original, seed: seed)
            try write(Trial.isMadeToFit(seed) ? fit?(bytes) ?? bytes : bytes)
        }

        private func write(_ bytes: [UInt8]) throws {
            // Some file systems wait for the disk when a file is written over.
            unlink(path)
            try Foundation.Data(bytes).write(to: URL(fileURLWithPath: path))
        }
    }

    /// What one trial works on.
    struct Subject {
        let mutants: [Mutant]
        /// Reads the mutant at a path, and all that is made of it.
        let read: (String) throws -> Void
        /// Puts back what made checksums fit.
        var restore: () throws -> Void = {}
    }

    let name: String
    /// Mutants of ten thousand.
    let share: Int
    /// Whether HDF5, which may crash on what is made to fit, reads it.
    var isHDF5 = false
    /// Lays the whole files out in a folder.
    let open: @Sendable (_ fixtures: String, _ work: String) throws -> Subject

    static let all = [
        safetensors, configuration, tokenizerOptions, vocabulary, manifest, runFile, taskFile, canonical, glue,
        inference, labelledWords, questions, documents, jsonLines, metrics, checkpoint, tokenFile,
    ]
}

/// The bytes of a file.
func contents(_ path: String) throws -> [UInt8] { [UInt8](try Foundation.Data(contentsOf: URL(fileURLWithPath: path))) }

/// Copies a file or folder into a folder; returns where it is.
@discardableResult
func copy(_ path: String, to folder: String, as name: String? = nil) throws -> String {
    let target = "\(folder)/\(name ?? (path as NSString).lastPathComponent)"
    try FileManager.default.copyItem(atPath: path, toPath: target)
    return target
}

/// The first lines of a file: mutants of short files change more of what there is to change.
func firstLines(_ count: Int, of path: String) throws -> [UInt8] {
    Array(try contents(path).split(separator: UInt8(ascii: "\n")).prefix(count).joined(separator: "\n".utf8)) + [10]
}
