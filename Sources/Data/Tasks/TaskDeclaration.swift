/// One task as its file states it: all keys read, not yet held against each other.
struct TaskDeclaration {
    /// A value with the place to blame where it does not fit the others.
    struct Stated<Value> {
        let value: Value
        let source: StrictValue
    }

    let name: String
    let source: StrictValue
    let classCount: Stated<Int>
    let dataFormat: Stated<DataFormat>
    let taskType: Stated<TaskType>
    let metrics: Stated<[Metric]>
    let enablesAnswerNetwork: Stated<Bool>
    let labels: Stated<[String]>?
    let splits: Stated<[String]>?
    let dropout: Float?
    let loss: Stated<LossCriterion>?
    let distillationLoss: Stated<LossCriterion>?
    let distillationWeight: Stated<Double>?
    let distillationTemperature: Stated<Double>?
    let adversarialLoss: Stated<LossCriterion>?
    let poolerActivation: Stated<String>?
    let encoderType: Stated<String>?
    let data: TaskDefinition.DataLocation?
    let format: Stated<ExampleFormat>?
    let onBadRow: BadRowRule?
    let scoreRange: Stated<ClosedRange<Float>>?
    let masksWholeWords: Stated<Bool>?
    let lossWeight: Double?
    let samplingWeight: Double?
    let batchSize: Int?
    let maximumLength: Int?
    let maximumExamples: Int?
    let trainFraction: Double?
    let documentStride: Stated<Int>?

    init(name: String, _ source: StrictValue) throws(SettingsError) {
        self = try source.mapping { keys throws(SettingsError) in try TaskDeclaration(name: name, source, keys) }
    }

    private init(name: String, _ source: StrictValue, _ keys: StrictMapping) throws(SettingsError) {
        self.name = name
        self.source = source

        // mt-dnn's keys.
        classCount = try Self.stated(keys.required("n_class")) { value throws(SettingsError) in
            try value.integer(.between(1, 1_000_000))
        }
        dataFormat = try Self.stated(keys.required("data_format")) { value throws(SettingsError) in try value.choice() }
        taskType = try Self.stated(keys.required("task_type"), Self.readTaskType)
        metrics = try Self.stated(keys.required("metric_meta")) { value throws(SettingsError) in
            var metrics: [Metric] = []
            for item in try value.list() { metrics.append(try item.choice()) }
            return metrics
        }
        enablesAnswerNetwork = try Self.stated(keys.required("enable_san")) { value throws(SettingsError) in
            try value.boolean()
        }
        labels = try Self.stated(keys["labels"], Self.readDistinctNames)
        splits = try Self.stated(keys["split_names"], Self.readSplits)
        dropout = try keys["dropout_p"]?.rate()
        loss = try Self.stated(keys["loss"]) { value throws(SettingsError) in try value.choice() }
        distillationLoss = try Self.stated(keys["kd_loss"]) { value throws(SettingsError) in try value.choice() }
        adversarialLoss = try Self.stated(keys["adv_loss"]) { value throws(SettingsError) in try value.choice() }
        poolerActivation = try Self.stated(keys["actf"]) { value throws(SettingsError) in try value.string() }
        // Older files of mt-dnn still name the encoder per task.
        encoderType = try Self.stated(keys["encoder_type"]) { value throws(SettingsError) in try value.string() }

        // Ours.
        let splitNames = splits?.value ?? ["train", "dev", "test"]
        data = try keys["data"].map { value throws(SettingsError) in try Self.readData(value, splits: splitNames) }
        format = try Self.stated(keys["format"]) { value throws(SettingsError) in try value.choice() }
        onBadRow = try keys["on_bad_row"]?.choice()
        scoreRange = try Self.stated(keys["score_range"], Self.readRange)
        masksWholeWords = try Self.stated(keys["whole_word_masking"]) { value throws(SettingsError) in
            try value.boolean()
        }
        distillationWeight = try Self.stated(keys["kd_weight"]) { value throws(SettingsError) in
            try value.number(.between(0, 1e6))
        }
        distillationTemperature = try Self.stated(keys["kd_temperature"]) { value throws(SettingsError) in
            try value.number(.between(1e-6, 1e6))
        }
        lossWeight = try keys["loss_weight"]?.number(.between(1e-6, 1e6))
        samplingWeight = try keys["sampling_weight"]?.number(.between(0.001, 1000))
        batchSize = try keys["batch_size"]?.integer(.between(1, 1_000_000))
        maximumLength = try keys["max_length"]?.integer(.between(8, 1_000_000))
        maximumExamples = try keys["max_examples"]?.integer(.atLeast(1))
        trainFraction = try keys["train_fraction"]?.number(.between(1e-6, 1))
        documentStride = try Self.stated(keys["document_stride"]) { value throws(SettingsError) in
            try value.integer(.atLeast(1))
        }
    }

    private static func stated<Value>(
        _ source: StrictValue, _ read: (StrictValue) throws(SettingsError) -> Value
    ) throws(SettingsError) -> Stated<Value> {
        Stated(value: try read(source), source: source)
    }

    private static func stated<Value>(
        _ source: StrictValue?, _ read: (StrictValue) throws(SettingsError) -> Value
    ) throws(SettingsError) -> Stated<Value>? {
        guard let source else { return nil }
        return Stated(value: try read(source), source: source)
    }

    /// Also takes "sequence" with its u, which mt-dnn's own documentation uses, and the short names in its task file for SQuAD.
    private static func readTaskType(_ value: StrictValue) throws(SettingsError) -> TaskType {
        switch try value.string() {
        case "SequenceLabeling": return .sequenceLabeling
        case "Span": return .span
        case "SpanYN": return .spanOrNone
        default: return try value.choice()
        }
    }

    private static func readDistinctNames(_ value: StrictValue) throws(SettingsError) -> [String] {
        var names: [String] = []
        for item in try value.list() {
            let name = try item.string()
            guard !names.contains(name) else { throw item.error("repeats \"\(name)\"") }
            names.append(name)
        }
        guard !names.isEmpty else { throw value.error("must not be empty") }
        return names
    }

    private static func readSplits(_ value: StrictValue) throws(SettingsError) -> [String] {
        let names = try readDistinctNames(value)
        for name in names where !name.isPlainName {
            throw value.error("has \"\(name)\", but splits consist of letters, digits, \"-\" and \"_\"")
        }
        return names
    }

    private static func readData(
        _ value: StrictValue, splits: [String]
    ) throws(SettingsError) -> TaskDefinition.DataLocation {
        guard case .mapping = value.content else { return .folder(try value.relativePath()) }
        var files: [String: String] = [:]
        for (split, file) in try value.namedValues() {
            guard splits.contains(split) else {
                let hint = suggestion(for: split, among: splits)
                throw file.error("is no split of this task (\(splits.joined(separator: ", ")))\(hint)")
            }
            files[split] = try file.relativePath()
        }
        return .files(files)
    }

    private static func readRange(_ value: StrictValue) throws(SettingsError) -> ClosedRange<Float> {
        let bounds = try value.list()
        guard bounds.count == 2 else { throw value.error("must be [LOWEST, HIGHEST]") }
        let lowest = Float(try bounds[0].number()), highest = Float(try bounds[1].number())
        guard lowest < highest else { throw value.error("must be [LOWEST, HIGHEST], not [\(lowest), \(highest)]") }
        return lowest...highest
    }
}
