import Data
import Foundation

extension RunSettings {
    /// Reads the run file at `path`, with `KEY=VALUE` overrides from the command line in place of what it says.
    ///
    /// Relative paths start from the run file's folder; those of overrides from the working directory.
    public static func load(path: String, overrides: [String] = []) throws(SettingsError) -> RunSettings {
        var file = try StrictValue.read(path: path)
        let runFile = absolutePath(path, in: FileManager.default.currentDirectoryPath)
        for override in overrides { file = try file.setting(override) }
        return try file.mapping { keys throws(SettingsError) in
            var settings = try RunSettings(keys, runFile: runFile)
            try settings.readTrain(keys["train"], tasksKey: keys.required("tasks"))
            if let value = keys["sampler"] { try settings.sampler.requireTasks(among: settings.train, value) }
            return settings
        }
    }

    /// Reads settings that a program wrote, such as those in a checkpoint's manifest, with `KEY=VALUE` overrides; `path` is for messages. The
    /// files that they name need not be there any more.
    static func parse(
        _ text: String, path: String, overrides: [String] = []
    ) throws(SettingsError) -> RunSettings {
        var file = try StrictValue.parse(text, path: path)
        for override in overrides { file = try file.setting(override) }
        return try file.mapping { keys throws(SettingsError) in
            var settings = try RunSettings(keys, runFile: path)
            settings.train = try keys.required("train").list().map { item throws(SettingsError) in try item.string() }
            return settings
        }
    }

    /// All settings but `train`.
    private init(_ keys: StrictMapping, runFile: String) throws(SettingsError) {
        self.init(
            encoder: try EncoderSource(keys.required("encoder")),
            tasks: try keys.required("tasks").path(),
            data: try keys.required("data").path(),
            train: [],
            folder: try keys["folder"]?.path() ?? (runFile as NSString).deletingPathExtension)

        initialize = try keys["initialize"].map(InitializeSettings.init)
        seed = try keys["seed"]?.integer() ?? seed
        epochs = try keys["epochs"]?.integer(.between(1, 100_000)) ?? epochs
        batchSize = try keys["batch_size"]?.integer(.between(1, 1_000_000)) ?? batchSize
        if let value = keys["sampler"] { sampler = try SamplerSettings(value) }
        slices = try keys["slices"]?.integer(.between(1, 1024)) ?? slices
        gradientAccumulation =
            try keys["gradient_accumulation"]?.integer(.between(1, 1024)) ?? gradientAccumulation
        reproducible = try keys["reproducible"]?.choice() ?? reproducible
        evaluationBatchSize = try keys["evaluation_batch_size"]?.integer(.between(1, 1_000_000)) ?? evaluationBatchSize

        optimizer = try keys["optimizer"]?.choice() ?? optimizer
        learningRate = try keys["learning_rate"]?.number(.above(0)) ?? learningRate
        schedule = try keys["schedule"]?.choice() ?? schedule
        warmup = try keys["warmup"]?.number(.between(0, 1)) ?? warmup
        weightDecay = try keys["weight_decay"]?.number(.atLeast(0)) ?? weightDecay
        gradientClip = try keys["gradient_clip"]?.number(.atLeast(0)) ?? gradientClip

        dropout = try keys["dropout"]?.rate() ?? dropout
        taskDropout = try keys["task_dropout"]?.rate() ?? taskDropout
        if let value = keys["san"] { answerNetwork = try AnswerNetworkSettings(value) }
        smart = try keys["smart"].map(SmartSettings.init)
        recomputes = try keys["recompute"]?.boolean() ?? recomputes
        threads = try keys["threads"]?.integer(.between(1, 1024)) ?? threads
        checkpointSteps = try keys["checkpoint_steps"]?.integer(.atLeast(0)) ?? checkpointSteps
        keepLast = try keys["keep_last"]?.integer(.atLeast(1)) ?? keepLast
        stallTimeout = try keys["stall_timeout"]?.integer(.between(1, 1_000_000)) ?? stallTimeout
        keepBest = try keys["keep_best"]?.boolean() ?? keepBest
        patience = try keys["patience"]?.integer(.atLeast(0)) ?? patience
        maximumRestarts = try keys["max_restarts"]?.integer(.between(0, 1000)) ?? maximumRestarts
        prepared = try keys["prepared"]?.path() ?? prepared

        try readMaximumLength(keys["max_length"])
    }

    private mutating func readMaximumLength(_ value: StrictValue?) throws(SettingsError) {
        let positions: Int? = if case .sizes(let sizes) = encoder { sizes.maximumPositions } else { nil }
        guard let value else {
            maximumLength = min(maximumLength, positions ?? .max)
            return
        }
        // [CLS] A [SEP] B [SEP] with a piece or two per sentence is the least that makes sense.
        maximumLength = try value.integer(.atLeast(8))
        if let positions, maximumLength > positions {
            throw value.error("must be at most encoder.max_position_embeddings (\(positions)), not \(maximumLength)")
        }
    }

    /// The tasks to train must exist and be trainable before anything else is done.
    private mutating func readTrain(_ value: StrictValue?, tasksKey: StrictValue) throws(SettingsError) {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: tasks, isDirectory: &isFolder), !isFolder.boolValue else {
            throw tasksKey.error("names no file: \(tasks)")
        }
        let file = try TaskFile(path: tasks)
        for item in try value?.list() ?? [] {
            let name = try item.string()
            guard try file.definition(of: name) != nil else {
                throw item.error(
                    "is \"\(name)\", which is no task of \(tasks)\(suggestion(for: name, among: file.names))")
            }
            guard !train.contains(name) else { throw item.error("repeats \"\(name)\"") }
            train.append(name)
        }
        if let value, train.isEmpty { throw value.error("must name at least one task") }
        if value == nil {
            for name in file.names { _ = try file.definition(of: name) }
            train = file.names
        }
    }
}

extension EncoderSource {
    fileprivate init(_ value: StrictValue) throws(SettingsError) {
        self = try value.mapping { keys throws(SettingsError) in
            guard let folder = keys["from"] else {
                // The sizes may stand by themselves or under a key of their own.
                guard let sizes = keys["sizes"] else { return .sizes(try FreshEncoder(keys)) }
                return try sizes.mapping { inner throws(SettingsError) in .sizes(try FreshEncoder(inner)) }
            }
            let sizes = (FreshEncoder.keys + ["sizes"]).filter { keys[$0] != nil }
            guard sizes.isEmpty else {
                throw value.error("has both from and \(sizes[0]); a pretrained encoder brings its own sizes")
            }
            return .folder(try folder.path())
        }
    }
}

extension FreshEncoder {
    fileprivate static let keys = [
        "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "max_position_embeddings",
        "initializer_range", "vocab", "lower_case",
    ]

    fileprivate init(_ keys: StrictMapping) throws(SettingsError) {
        let hidden = try keys.required("hidden_size")
        self.init(
            hiddenSize: try hidden.integer(.between(1, 65_536)),
            layerCount: try keys.required("num_hidden_layers").integer(.between(1, 250)),
            attentionHeadCount: try keys.required("num_attention_heads").integer(.between(1, 250)),
            intermediateSize: try keys.required("intermediate_size").integer(.between(1, 1_048_576)),
            vocabulary: try keys.required("vocab").path())
        maximumPositions = try keys["max_position_embeddings"]?.integer(.between(8, 65_536)) ?? maximumPositions
        initializerRange = try keys["initializer_range"]?.number(.above(0)) ?? initializerRange
        lowercases = try keys["lower_case"]?.boolean() ?? lowercases
        guard hiddenSize.isMultiple(of: attentionHeadCount) else {
            throw hidden.error("must be a multiple of num_attention_heads (\(attentionHeadCount)), not \(hiddenSize)")
        }
    }
}

extension InitializeSettings {
    fileprivate init(_ value: StrictValue) throws(SettingsError) {
        self = try value.mapping { keys throws(SettingsError) in
            var settings = InitializeSettings(checkpoint: try keys.required("checkpoint").path())
            settings.heads = try keys["heads"]?.boolean() ?? settings.heads
            return settings
        }
    }
}

extension AnswerNetworkSettings {
    fileprivate init(_ value: StrictValue) throws(SettingsError) {
        self.init()
        self = try value.mapping { [self] keys throws(SettingsError) in
            var settings = self
            settings.turns = try keys["turns"]?.integer(.between(1, 50)) ?? turns
            settings.predictionDropout = try keys["prediction_dropout"]?.rate() ?? predictionDropout
            return settings
        }
    }
}

extension SmartSettings {
    fileprivate init(_ value: StrictValue) throws(SettingsError) {
        self.init()
        self = try value.mapping { [self] keys throws(SettingsError) in
            var settings = self
            settings.alpha = try keys["alpha"]?.number(.above(0)) ?? alpha
            settings.steps = try keys["steps"]?.integer(.between(1, 100)) ?? steps
            settings.stepSize = Float(try keys["step_size"]?.number(.above(0)) ?? Double(stepSize))
            settings.noise = Float(try keys["noise"]?.number(.above(0)) ?? Double(noise))
            settings.norm = try keys["norm"]?.choice() ?? norm
            settings.radius = Float(try keys["radius"]?.number(.above(0)) ?? Double(radius))
            settings.epsilon = Float(try keys["epsilon"]?.number(.above(0)) ?? Double(epsilon))
            return settings
        }
    }
}

extension SamplerSettings {
    fileprivate init(_ value: StrictValue) throws(SettingsError) {
        self.init()
        self = try value.mapping { [self] keys throws(SettingsError) in
            var settings = self
            settings.kind = try keys.required("kind").choice()
            settings.last = try keys["last"]?.string()
            let kind = settings.kind
            func only(_ key: String, for owner: SamplerKind) throws(SettingsError) -> StrictValue? {
                guard let value = keys[key] else { return nil }
                guard kind == owner else {
                    throw value.error("is for the kind \(owner.rawValue), not for \(kind.rawValue)")
                }
                return value
            }
            settings.temperature =
                try only("temperature", for: .temperature)?.number(.between(0.1, 1_000_000)) ?? temperature
            settings.cap = try only("cap", for: .temperature)?.integer(.atLeast(1))
            settings.main = try only("main", for: .main)?.string()
            settings.ratio = try only("ratio", for: .main)?.number(.between(1e-6, 1e6))
            if kind == .main, settings.main == nil { throw value.error("has the kind main and names no `main` task") }
            return settings
        }
    }

    /// Throws unless the tasks that it names are trained.
    fileprivate func requireTasks(among tasks: [String], _ value: StrictValue) throws(SettingsError) {
        for name in [main, last].compactMap({ $0 }) where !tasks.contains(name) {
            throw value.error(
                "names \"\(name)\", which is not among the tasks to train\(suggestion(for: name, among: tasks))")
        }
    }
}

extension RunSettings {
    /// The definitions of the tasks to train, in the order of `train`.
    public func taskDefinitions() throws(SettingsError) -> [TaskDefinition] {
        try taskDefinitions(in: TaskFile(path: tasks))
    }

    /// The definitions of the tasks to train as `file` has them.
    func taskDefinitions(in file: TaskFile) throws(SettingsError) -> [TaskDefinition] {
        var definitions: [TaskDefinition] = []
        for name in train {
            guard let definition = try file.definition(of: name) else {
                throw SettingsError(file: file.path, message: "has no task \(name)")
            }
            definitions.append(definition)
        }
        return definitions
    }
}
