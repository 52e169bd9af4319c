import Data
import Foundation
import Storage

// What a run folder tells of its run.
extension RunSettings {
    /// Where the run folder keeps the settings in effect.
    var settingsPath: String { "\(folder)/run.yml" }

    /// Where the run folder keeps the log.
    var logPath: String { "\(folder)/metrics.jsonl" }

    /// What the log says so far.
    func history() throws -> RunHistory { try RunHistory(path: logPath) }

    /// Whether the log says that the run came to an end, whatever its settings. A job that was killed early may have no log yet.
    public func isEnded() throws -> Bool { try FileManager.default.fileExists(atPath: logPath) && history().isEnded }

    /// Whether the folder holds a run with these settings that is at its end; throws where it holds one with others.
    ///
    /// Of tasks and encoder the checkpoint is asked, if one is left: settings only name where they are. Other data would be noticed by a job alone.
    public func isFinished() throws -> Bool {
        guard let old = try contentsIfPresent(settingsPath) else { return false }
        try requireResumableFolder()
        let begun = try RunSettings.parse(String(decoding: old, as: UTF8.self), path: settingsPath)
        guard try begun.epochs == epochs && begun.patience == patience && isEnded() else { return false }
        if let newest = try CheckpointFolder(run: folder).readable(report: { _ in }).first {
            try requireTasks(newest.manifest.origin)
            if begun.encoder != encoder {
                let files = try EncoderFiles(self)
                try requireEncoder(newest.manifest.origin, files.fingerprint(), tokenizer: files.tokenizerFingerprint())
            }
        }
        return true
    }

    /// Throws where tasks are defined otherwise than for the run that wrote a checkpoint. Where their data lie does not count.
    func requireTasks(_ origin: Manifest.Origin) throws {
        func placeless(_ definitions: [TaskDefinition]) -> [TaskDefinition] {
            definitions.map { definition in
                var definition = definition
                definition.data = .folder(".")
                return definition
            }
        }
        let old = placeless(try taskDefinitions(in: TaskFile(origin.taskFile, path: tasks)))
        try refuseTasks(zip(old, placeless(try taskDefinitions())).filter(!=).map(\.0.name))
    }

    /// Throws where some tasks have other definitions or data than those of the run in the folder.
    func refuseTasks(_ names: [String]) throws {
        guard !names.isEmpty else { return }
        throw TrainingError(
            "\(folder) holds a run with other task definitions or data (\(names.joined(separator: ", "))); use those, or another --folder"
        )
    }

    /// Throws where the encoder's files or vocabulary are not those of the run that wrote a checkpoint.
    func requireEncoder(_ origin: Manifest.Origin, _ files: String, tokenizer: String) throws {
        guard origin.tokenizer == tokenizer else {
            throw TrainingError("\(folder) holds a run with another vocabulary; use that, or another --folder")
        }
        guard origin.encoderFiles == files else {
            throw TrainingError("\(folder) holds a run of another model; use its encoder, or another --folder")
        }
    }
}
