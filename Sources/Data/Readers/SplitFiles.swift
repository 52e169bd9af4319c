import Foundation

extension TaskDefinition {
    /// Where the rows of one split are.
    public func path(ofSplit split: String, dataFolder: String) throws(ExampleError) -> String {
        switch data {
        case .files(let files):
            guard let file = files[split] else {
                throw ExampleError(file: "task \(name)", line: nil, message: "`data` names no file for split \(split)")
            }
            return absolutePath(file, in: dataFolder)
        case .folder(let folder):
            let folder = absolutePath(folder, in: dataFolder)
            let names = fileNames(ofSplit: split)
            let name = names.first { FileManager.default.fileExists(atPath: absolutePath($0, in: folder)) }
            return absolutePath(name ?? names[0], in: folder)
        }
    }

    /// The names that a split's file can have in a folder. The first one that is there is taken.
    private func fileNames(ofSplit split: String) -> [String] {
        switch format {
        case .canonical: return ["\(name)_\(split).tsv"]
        case .conll: return ["\(name)_\(split).txt"]
        case .jsonLines, .jsonText: return ["\(name)_\(split).json"]
        case .text, .book: return ["\(name)_\(split).txt"]
        case .squad: return ["\(split)-\(allowsNoAnswer ? "v2.0" : "v1.1").json"]
        // mt-dnn says matched_dev where GLUE's file is dev_matched.tsv.
        case .glue: return [split.split(separator: "_").reversed().joined(separator: "_") + ".tsv"]
        case .snli: return ["jsonl", "txt"].map { "snli_1.0_\(split).\($0)" }
        // The folders are those of the archive as it is published.
        case .scitail:
            let inFolder = ["tsv", "jsonl", "txt"].map { "scitail_1.0_\(split).\($0)" }
            return inFolder + ["tsv_format/\(inFolder[0])"] + inFolder.dropFirst().map { "snli_format/\($0)" }
        }
    }

    /// What sets the path of a split's file, for the message when there is none.
    func origin(ofSplit split: String, dataFolder: String) -> String {
        switch data {
        case .folder("."): "the run's `data: \(dataFolder)` and task \(name), split \(split)\(otherNames(split))"
        case .folder(let folder):
            "`data: \(folder)` of task \(name), split \(split), in the run's `data: \(dataFolder)`\(otherNames(split))"
        case .files(let files):
            "`data: {\(split): \(files[split] ?? "")}` of task \(name), in the run's `data: \(dataFolder)`"
        }
    }

    private func otherNames(_ split: String) -> String {
        let names = fileNames(ofSplit: split).dropFirst()
        return names.isEmpty ? "" : "; there is no \(names.joined(separator: ", ")) either"
    }
}
