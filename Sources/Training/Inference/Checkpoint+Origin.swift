import Data
import Foundation

// What a checkpoint says of the run that wrote it, for programs that use its weights without going on with the run.
extension Checkpoint {
    /// Settings that may differ from those of the run: they only name places, or how much is done at once.
    private static let changeableKeys: Set<String> = [
        "data", "encoder.from", "encoder.vocab", "evaluation_batch_size",
    ]

    /// The run's settings with `KEY=VALUE` overrides.
    func settings(_ overrides: [String]) throws -> RunSettings {
        for override in overrides where !Checkpoint.changeableKeys.contains(String(override.prefix { $0 != "=" })) {
            let free = Checkpoint.changeableKeys.sorted().joined(separator: ", ")
            throw TrainingError("--set \(override): a trained model has its settings; only \(free) may differ")
        }
        return try RunSettings.parse(
            manifest.origin.settings, path: "\(path)/\(Manifest.name)", overrides: overrides)
    }

    /// The tasks in the order of their heads.
    func taskDefinitions(_ settings: RunSettings) throws -> [TaskDefinition] {
        try settings.taskDefinitions(in: TaskFile(manifest.origin.taskFile, path: settings.tasks))
    }

    /// Where sizes and vocabulary lie; throws where they are not those that it was trained with.
    func encoderFiles(_ settings: RunSettings) throws -> EncoderFiles {
        let files = try EncoderFiles(settings)
        guard files.sizes.described == manifest.origin.encoder,
            try files.tokenizerFingerprint() == manifest.origin.tokenizer
        else {
            throw TrainingError(
                "the sizes or the vocabulary of \(files.place) are not those that \(path) was trained with; name the right place by "
                    + "--set encoder.from=FOLDER or --set encoder.vocab=FILE")
        }
        return files
    }
}
