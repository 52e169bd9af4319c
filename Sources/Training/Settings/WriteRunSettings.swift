extension RunSettings {
    /// Every effective setting as a run file that ``load(path:overrides:)`` reads back to an equal value.
    public var yaml: String {
        var lines: [String] = []
        var section = ""
        for (key, value) in flattened {
            let parts = key.split(separator: ".", maxSplits: 1).map(String.init)
            if parts.count == 2, parts[0] != section { lines.append("\(parts[0]):") }
            section = parts.count == 2 ? parts[0] : ""
            lines.append(parts.count == 2 ? "  \(parts[1]): \(value)" : "\(key): \(value)")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// What changed since `other`, one `KEY: OLD -> NEW` per setting; `none` where one side lacks the key.
    func differences(from other: RunSettings) -> [String] {
        changes(since: other).map { "\($0.key): \($0.before) -> \($0.after)" }
    }

    /// The settings that changed since `other`, as YAML writes them; `none` where one side lacks the key.
    func changes(since other: RunSettings) -> [(key: String, before: String, after: String)] {
        let old = other.flattened, new = flattened
        let keys = new.map(\.key) + old.map(\.key).filter { key in !new.contains { $0.key == key } }
        return keys.compactMap { key in
            let before = old.first { $0.key == key }?.value ?? "none"
            let after = new.first { $0.key == key }?.value ?? "none"
            return before == after ? nil : (key, before, after)
        }
    }

    /// All settings in the order of the declaration, dotted keys with values as YAML writes them.
    var flattened: [(key: String, value: String)] {
        encoder.flattened + (initialize?.flattened ?? []) + [
            ("tasks", yamlText(tasks)),
            ("data", yamlText(data)),
            ("train", "[\(train.map(yamlText).joined(separator: ", "))]"),
            ("seed", "\(seed)"),
            ("epochs", "\(epochs)"),
            ("batch_size", "\(batchSize)"),
        ] + sampler.flattened + [
            ("slices", "\(slices)"),
            ("reproducible", reproducible.rawValue),
            ("max_length", "\(maximumLength)"),
            ("evaluation_batch_size", "\(evaluationBatchSize)"),
            ("optimizer", optimizer.rawValue),
            ("learning_rate", "\(learningRate)"),
            ("schedule", schedule.rawValue),
            ("warmup", "\(warmup)"),
            ("weight_decay", "\(weightDecay)"),
            ("gradient_clip", "\(gradientClip)"),
            ("dropout", "\(dropout)"),
            ("task_dropout", "\(taskDropout)"),
            ("san.turns", "\(answerNetwork.turns)"),
            ("san.prediction_dropout", "\(answerNetwork.predictionDropout)"),
        ] + (smart?.flattened ?? []) + [
            ("folder", yamlText(folder)),
            ("recompute", "\(recomputes)"),
            ("gradient_accumulation", "\(gradientAccumulation)"),
            ("threads", "\(threads)"),
            ("checkpoint_steps", "\(checkpointSteps)"),
            ("keep_last", "\(keepLast)"),
            ("stall_timeout", "\(stallTimeout)"),
            ("keep_best", "\(keepBest)"),
            ("patience", "\(patience)"),
            ("max_restarts", "\(maximumRestarts)"),
            ("prepared", yamlText(prepared)),
        ]
    }
}

extension EncoderSource {
    fileprivate var flattened: [(key: String, value: String)] {
        switch self {
        case .folder(let folder): [("encoder.from", yamlText(folder))]
        case .sizes(let sizes):
            [
                ("encoder.hidden_size", "\(sizes.hiddenSize)"),
                ("encoder.num_hidden_layers", "\(sizes.layerCount)"),
                ("encoder.num_attention_heads", "\(sizes.attentionHeadCount)"),
                ("encoder.intermediate_size", "\(sizes.intermediateSize)"),
                ("encoder.max_position_embeddings", "\(sizes.maximumPositions)"),
                ("encoder.initializer_range", "\(sizes.initializerRange)"),
                ("encoder.vocab", yamlText(sizes.vocabulary)),
                ("encoder.lower_case", "\(sizes.lowercases)"),
            ]
        }
    }
}

extension InitializeSettings {
    fileprivate var flattened: [(key: String, value: String)] {
        [("initialize.checkpoint", yamlText(checkpoint)), ("initialize.heads", "\(heads)")]
    }
}

extension SmartSettings {
    fileprivate var flattened: [(key: String, value: String)] {
        [
            ("smart.alpha", "\(alpha)"), ("smart.steps", "\(steps)"), ("smart.step_size", "\(stepSize)"),
            ("smart.noise", "\(noise)"), ("smart.norm", norm.rawValue), ("smart.radius", "\(radius)"),
            ("smart.epsilon", "\(epsilon)"),
        ]
    }
}

extension SamplerSettings {
    fileprivate var flattened: [(key: String, value: String)] {
        var lines = [("sampler.kind", kind.rawValue)]
        if kind == .temperature { lines.append(("sampler.temperature", "\(temperature)")) }
        if let cap { lines.append(("sampler.cap", "\(cap)")) }
        if let main { lines.append(("sampler.main", yamlText(main))) }
        if let ratio { lines.append(("sampler.ratio", "\(ratio)")) }
        if let last { lines.append(("sampler.last", yamlText(last))) }
        return lines.map { (key: $0.0, value: $0.1) }
    }
}

private let bareCharacters = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/_.-".utf8)

/// `text` as YAML writes it: bare where nothing in it has a meaning of its own, otherwise in double quotes.
public func yamlText(_ text: String) -> String {
    let isBare = text.utf8.allSatisfy { bareCharacters.contains($0) } && !["", "null", "Null", "NULL"].contains(text)
    if isBare, !text.hasPrefix("-") { return text }
    var result = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"", "\\": result += "\\\(scalar)"
        case " "..."~": result.unicodeScalars.append(scalar)
        // Everything beyond ASCII is escaped: YAML counts some of it as line breaks or refuses it.
        default:
            let digits = String(scalar.value, radix: 16)
            result += "\\U" + String(repeating: "0", count: 8 - digits.count) + digits
        }
    }
    return result + "\""
}
