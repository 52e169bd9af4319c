import Model

// Where a run begins, and what it leaves behind for others to begin from.
extension TrainingRun {
    /// Loads the run's newest whole checkpoint, or else the first values that `initialize` asks for; returns the checkpoint's step.
    func restore(_ trainer: Trainer, _ origin: Manifest.Origin, _ notes: inout [String]) throws -> Int? {
        let restoration = Restoration(
            world: world, settings: settings, origin: origin, model: trainer.model, optimizer: trainer.optimizer,
            memory: trainer.memory)
        if let step = try restoration.restoreNewest(report: StandardStream.output.say) { return step }
        if let choice = settings.initialize {
            let initial = InitialWeights(choice, origin: origin, model: trainer.model, memory: trainer.memory)
            notes += try initial.load(world)
        }
        return nil
    }

    /// What all checkpoints of this run have in common.
    func checkpointOrigin(_ parts: Parts) throws -> Manifest.Origin {
        let encoderFiles = try world.fromFirst { try parts.files.fingerprint() }
        let parameters = parts.trainer.model.parameters.all
        return try world.agree {
            Manifest.Origin(
                seed: settings.seed, settings: settings.yaml, tasks: parts.tasks.map(\.fileNames),
                taskFile: try String(contentsOfFile: settings.tasks, encoding: .utf8),
                encoder: parts.files.sizes.described, encoderFiles: encoderFiles,
                tokenizer: try parts.files.tokenizerFingerprint(),
                program: try RankComparison.programChecksum(),
                parameters: Dictionary(uniqueKeysWithValues: parameters.map { ($0.name, $0.shape) }))
        }
    }

    /// What writes the run's checkpoints, for a program that takes the steps itself, from the first on.
    package func makeStore(_ parts: Parts) throws -> CheckpointStore {
        let report = try RunReport(settings, isFirst: isFirst, start: 0, epochs: 0)
        return makeStore(parts.trainer, try checkpointOrigin(parts), report)
    }

    /// What writes the run's checkpoints.
    func makeStore(_ trainer: Trainer, _ origin: Manifest.Origin, _ report: RunReport) -> CheckpointStore {
        let commit = CheckpointCommit(
            folder: CheckpointFolder(run: settings.folder),
            view: ShardView(trainer.ownerships, rankCount: world.size), origin: origin,
            keepLast: settings.keepLast, keepBest: settings.keepBest, synchronizeRun: report.synchronize)
        let staging = ShardStaging(trainer.optimizer, values: trainer.model.parameters.values)
        return CheckpointStore(world, staging, commit, say: report.say)
    }
}

extension EncoderSizes {
    /// The sizes under the names of BERT's `config.json`.
    var described: [String: String] {
        let sizes = [
            "vocab_size": vocabularySize, "hidden_size": hiddenSize, "num_hidden_layers": layerCount,
            "num_attention_heads": headCount, "intermediate_size": intermediateSize,
            "max_position_embeddings": maximumPositions, "type_vocab_size": segmentCount,
        ]
        return sizes.mapValues { "\($0)" }.merging(["layer_norm_eps": "\(epsilon)"]) { size, _ in size }
    }
}
