import Data
import Foundation
import Storage
import Training

// What checksums guard.
extension Format {
    static let manifest = Format(name: "manifest", share: 1000) { fixtures, work in
        let folder = try copy(try Fixtures.checkpoint(in: fixtures), to: work)
        let path = "\(folder)/manifest.json"
        let original = try contents(path)
        let words = [
            "null", "../", "\\u0000", "shard-001-of-002.h5", "model.h5", "\"rank_count\"", "\"step\"", "\"files\"", "[",
            "{", "\\/",
        ]
        let mutant = Mutant(
            path: path, original: original,
            // What follows is the manifest's own sum.
            mutator: Mutator(isText: true, words: words, target: 0..<original.count - 100), fit: sealed(manifest:))
        return Subject(mutants: [mutant]) { _ in
            _ = try CheckpointInspection(path: folder)
            try CheckpointProbe.read(folder)
        }
    }

    static let checkpoint = Format(name: "checkpoint", share: 900, isHDF5: true) { fixtures, work in
        let folder = try copy(try Fixtures.checkpoint(in: fixtures), to: work)
        let names = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".h5") }.sorted()
        let manifest = try contents("\(folder)/manifest.json")
        let mutants = try names.map { name in
            let path = "\(folder)/\(name)"
            let original = try contents(path)
            return Mutant(path: path, original: original, mutator: hdf5Mutator) { bytes in
                let text = try manifestText(manifest, naming: name, with: bytes, inPlaceOf: original)
                try Foundation.Data(sealed(manifest: text)).write(to: URL(fileURLWithPath: "\(folder)/manifest.json"))
                return bytes
            }
        }
        return Subject(mutants: mutants, read: { _ in try CheckpointProbe.read(folder) }) {
            try Foundation.Data(manifest).write(to: URL(fileURLWithPath: "\(folder)/manifest.json"))
        }
    }

    static let tokenFile = Format(name: "tokens", share: 600, isHDF5: true) { fixtures, work in
        for name in ["run.yml", "tasks.yml", "vocab.txt"] { try copy("\(fixtures)/\(name)", to: work) }
        let settings = try RunSettings.load(path: "\(work)/run.yml")
        let sizes = try EncoderFiles(settings).sizes
        let questions = TaskDefinition(
            name: "squad", kind: .span(allowsNone: true, stride: 2), isPair: true, metrics: [])
        let tasks = try settings.taskDefinitions().filter { ["single", "query"].contains($0.name) } + [questions]
        try writeQuestions(to: "\(work)/squad-whole.h5", vocabulary: "\(work)/vocab.txt")
        let mutants = try tasks.map { task in
            let names = try FileManager.default.contentsOfDirectory(atPath: "\(fixtures)/prepared")
            let name = names.first { $0.hasPrefix("\(task.name)-dev-") }
            return Mutant(
                path: "\(work)/\(task.name).h5",
                original: try contents(name.map { "\(fixtures)/prepared/\($0)" } ?? "\(work)/squad-whole.h5"),
                mutator: hdf5Mutator
            ) { bytes in
                let body = bytes.dropLast(sealByteCount)
                return body + Array("\nsha256 \(Checksum.sha256(of: Array(body)))\n".utf8)
            }
        }
        return Subject(mutants: mutants) { path in
            let task = tasks.first { path.hasSuffix("/\($0.name).h5") }!
            let file = try PreparedTask.open(path, of: task, sizes)
            for example in 0..<file.exampleCount {
                _ = file.uid(of: example)
                for sequence in file.sequences(of: example) { _ = file.tokens(of: sequence).reduce(0, &+) }
            }
            for question in 0..<(file.questions?.count ?? 0) { _ = file.context(ofQuestion: question) }
        }
    }

    private static func writeQuestions(to path: String, vocabulary: String) throws {
        let tokenizer = Tokenizer(vocabulary: try Vocabulary(path: vocabulary))
        var builder = TokenFile.Builder()
        for (context, answers) in [
            ("w1 w2 w3 w4 w5 w6", [AnswerSpan(text: "w3", start: 6)]), ("w7", []), ("w8 w9 w1 w2", []),
        ] {
            var example = Example(uid: context, first: "w7", second: [context], label: answers.isEmpty ? 0 : 1)
            example.answers = answers
            let encoded = tokenizer.encode(example, maximumLength: 8, documentStride: 2)
            if let context = encoded.context { builder.append(question: encoded, context) }
        }
        try builder.write(to: path, attributes: [:])
    }

    /// A line break, `sha256 `, 64 digits and a line break.
    private static let sealByteCount = 1 + 7 + 64 + 1

    private static let hdf5Mutator = Mutator(
        isText: false, words: ["OHDR", "TREE", "SNOD", "HEAP", "GCOL", "\u{89}HDF", "parameters", "../", "/etc/hosts"])

    /// The manifest with the sum and size of other bytes for one file.
    private static func manifestText(
        _ manifest: [UInt8], naming name: String, with bytes: [UInt8], inPlaceOf original: [UInt8]
    ) throws -> [UInt8] {
        var text = String(decoding: manifest, as: UTF8.self)
        guard let start = text.range(of: "\"\(name)\""),
            let sum = text.range(of: Checksum.sha256(of: original), range: start.upperBound..<text.endIndex),
            let size = text.range(of: "\"size\" : \(original.count)", range: sum.upperBound..<text.endIndex)
        else { fail("the manifest does not say what \(name) is") }
        text.replaceSubrange(size, with: "\"size\" : \(bytes.count)")
        text.replaceSubrange(sum, with: Checksum.sha256(of: bytes))
        return Array(text.utf8)
    }

    /// The manifest with its own sum made to fit.
    private static func sealed(manifest: [UInt8]) -> [UInt8] {
        let text = Foundation.Data(manifest)
        let mark = Foundation.Data("  \"sha256_of_all_above\" : \"".utf8)
        guard let range = text.range(of: mark, options: .backwards) else { return manifest }
        let body = Array(text[..<range.lowerBound])
        return body + mark + Array("\(Checksum.sha256(of: body))\"\n}\n".utf8)
    }
}
