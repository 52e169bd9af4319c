extension TaskDeclaration {
    /// The task as a run trains it, or the first reason why this version cannot.
    func definition() -> Result<TaskDefinition, SettingsError> {
        do throws(SettingsError) {
            try refuseWhatIsNotTrained()
            let kind = try kind()
            var task = TaskDefinition(
                name: name, kind: kind, isPair: ![.single, .sequence].contains(dataFormat.value),
                metrics: try metrics(of: kind))
            task.usesStochasticAnswerNetwork = try usesAnswerNetwork(kind)
            task.dropout = dropout
            if let splits { task.splits = splits.value }
            if let data { task.data = data }
            task.format = try format(of: kind)
            task.distillation = try distillation(task)
            task.adversarialLoss = adversarialLoss?.value
            task.onBadRow = onBadRow ?? .error
            task.lossWeight = lossWeight ?? 1
            task.samplingWeight = samplingWeight ?? 1
            task.batchSize = batchSize
            task.maximumLength = maximumLength
            task.maximumExamples = maximumExamples
            task.trainFraction = trainFraction ?? 1
            guard task.splits.contains(TaskDefinition.trainingSplit) else {
                throw (splits?.source ?? source).error("has no \"train\", so there is nothing to train on")
            }
            return .success(task)
        } catch {
            return .failure(error)
        }
    }

    private func refuseWhatIsNotTrained() throws(SettingsError) {
        try refuse(taskType.value.rawValue, at: taskType.source, unlessAmong: Self.trained.map(\.type.rawValue))
        for training in Self.trained where training.type == taskType.value {
            let formats = training.formats.map(\.rawValue)
            try refuse(dataFormat.value.rawValue, at: dataFormat.source, unlessAmong: formats, of: training.type)
            if let loss {
                try refuse(
                    loss.value.rawValue, at: loss.source, unlessAmong: [training.loss.rawValue], of: training.type)
            }
        }
        // kd_loss and adv_loss are named in many task files and used by mt-dnn only where its command line asks for distillation or
        // adversarial training. What they name matters where training data have soft labels, and where a run has `smart`.
        if let poolerActivation {
            try refuse(poolerActivation.value, at: poolerActivation.source, unlessAmong: ["tanh", "null"])
        }
        if let encoderType { try refuse(encoderType.value, at: encoderType.source, unlessAmong: ["BERT", "null"]) }
    }

    /// What this version trains.
    private static let trained: [(type: TaskType, formats: [DataFormat], loss: LossCriterion, metrics: [Metric])] = [
        (.classification, [.single, .pair], .crossEntropy, [.accuracy, .f1, .matthews]),
        (.regression, [.single, .pair], .squaredError, [.pearson, .spearman]),
        (.ranking, [.candidates], .rankCrossEntropy, [.accuracyAtOne, .meanReciprocalRank]),
        (.sequenceLabeling, [.sequence], .sequenceCrossEntropy, [.entityF1, .accuracy]),
        (.span, [.pair, .clueSpan], .spanCrossEntropy, [.answerF1, .answerOrNoneF1]),
        // A question without an answer has [CLS] as its span, so that the same loss trains both, as in BERT's recipe for SQuAD 2.0.
        (.spanOrNone, [.pair, .clueSpan], .spanCrossEntropy, [.answerOrNoneF1]),
        (.maskedWords, [.maskedWords], .maskedWords, [.accuracy, .nextTextAccuracy, .maskedLoss]),
    ]

    private func refuse(
        _ name: String, at value: StrictValue, unlessAmong supported: [String], of type: TaskType? = nil
    ) throws(SettingsError) {
        guard !supported.contains(name) else { return }
        let holder = type.map { " for \($0.rawValue)" } ?? ""
        throw value.error(
            "is \(name), which this version does not train\(holder); supported: \(supported.joined(separator: ", "))")
    }

    private func kind() throws(SettingsError) -> TaskDefinition.Kind {
        let labels = labels?.value ?? []
        let type = taskType.value.rawValue
        if let scoreRange, taskType.value != .regression {
            throw scoreRange.source.error("is for Regression only, not for \(type)")
        }
        if let kind = try spanKind() { return kind }
        if let masksWholeWords, taskType.value != .maskedWords {
            throw masksWholeWords.source.error("is for MaskLM only, not for \(type)")
        }
        if taskType.value == .maskedWords {
            if let refused = self.labels { throw refused.source.error("are for classes, not for MaskLM") }
            return .maskedWords(classCount: classCount.value, wholeWords: masksWholeWords?.value ?? false)
        }
        if taskType.value == .sequenceLabeling {
            guard labels.count == classCount.value else {
                throw (self.labels?.source ?? source).error(
                    self.labels == nil
                        ? "needs labels, the names of the \(classCount.value) classes of words"
                        : "has \(labels.count) names, but n_class is \(classCount.value)")
            }
            return .labelling(labels: labels)
        }
        guard taskType.value == .classification else {
            guard classCount.value == 1 else {
                throw classCount.source.error("must be 1 for \(type), not \(classCount.value)")
            }
            if taskType.value == .regression {
                if let refused = self.labels { throw refused.source.error("are for classes, not for Regression") }
                return .regression(scoreRange: scoreRange?.value)
            }
            guard labels.isEmpty || labels.count == 2 else {
                throw self.labels!.source.error(
                    "of Ranking name wrong and right, so there must be 2, not \(labels.count)")
            }
            return .ranking(labels: labels)
        }
        guard classCount.value >= 2 else { throw classCount.source.error("must be at least 2 for \(type), not 1") }
        guard labels.isEmpty || labels.count == classCount.value else {
            throw self.labels!.source.error("has \(labels.count) names, but n_class is \(classCount.value)")
        }
        return .classification(classCount: classCount.value, labels: labels)
    }

    /// What is found in a context, nil for other tasks.
    private func spanKind() throws(SettingsError) -> TaskDefinition.Kind? {
        let type = taskType.value
        guard [.span, .spanOrNone].contains(type) else {
            guard let documentStride else { return nil }
            throw documentStride.source.error(
                "is for SpanClassification and SpanClassificationYN only, not for \(type.rawValue)")
        }
        // The start's score and the end's.
        guard classCount.value == 2 else {
            throw classCount.source.error("must be 2 for \(type.rawValue), not \(classCount.value)")
        }
        if let refused = labels { throw refused.source.error("are for classes, not for \(type.rawValue)") }
        return .span(
            allowsNone: type == .spanOrNone,
            stride: documentStride?.value ?? TaskDefinition.defaultDocumentStride)
    }

    private func metrics(of kind: TaskDefinition.Kind) throws(SettingsError) -> [Metric] {
        guard !metrics.value.isEmpty else { throw metrics.source.error("must name at least one metric") }
        // mt-dnn's name for "the right candidate comes first" is the same as for any other right answer.
        let named = metrics.value.map { taskType.value == .ranking && $0 == .accuracy ? .accuracyAtOne : $0 }
        let supported = Self.trained.first { $0.type == taskType.value }?.metrics ?? []
        if named.first == .maskedLoss {
            throw metrics.source.error(
                "begins with MaskedLoss, but checkpoints are kept for a first metric of which more is better: begin with ACC"
            )
        }
        for metric in named {
            try refuseMetric(metric, supported)
            if case .classification(let count, _) = kind, count != 2, [.f1, .matthews].contains(metric) {
                throw metrics.source.error("has \(metric.rawValue), which needs n_class 2, not \(count)")
            }
        }
        let names = named.flatMap(\.scoreNames)
        if let repeated = names.indices.first(where: { names[..<$0].contains(names[$0]) }) {
            throw metrics.source.error("names the score \(names[repeated]) twice")
        }
        // The loss is what pre-training is judged by, whether or not a file in mt-dnn's form can name it.
        return taskType.value == .maskedWords && !named.contains(.maskedLoss) ? named + [.maskedLoss] : named
    }

    private func refuseMetric(_ metric: Metric, _ supported: [Metric]) throws(SettingsError) {
        guard !supported.contains(metric) else { return }
        let names = supported.map(\.rawValue).joined(separator: ", ")
        throw metrics.source.error(
            "has \(metric.rawValue), which does not score \(taskType.value.rawValue); supported: \(names)")
    }

    private func usesAnswerNetwork(_ kind: TaskDefinition.Kind) throws(SettingsError) -> Bool {
        guard enablesAnswerNetwork.value else { return false }
        guard case .classification = kind, dataFormat.value == .pair else {
            throw enablesAnswerNetwork.source.error("needs Classification of PremiseAndOneHypothesis")
        }
        return true
    }

    /// A key of ours says that there are soft labels, so it is refused where there cannot be any.
    private func distillation(_ task: TaskDefinition) throws(SettingsError) -> DistillationSettings {
        var distillation = DistillationSettings()
        distillation.loss = distillationLoss?.value
        distillation.weight = distillationWeight?.value ?? distillation.weight
        distillation.temperature = distillationTemperature?.value ?? distillation.temperature
        guard let key = distillationTemperature?.source ?? distillationWeight?.source, distillation.weight > 0 else {
            return distillation
        }
        distillation.isAsked = true
        guard task.format == .jsonLines else {
            throw key.error("is for a teacher's scores, which only `format: json_lines` holds (as softlabel)")
        }
        return distillation
    }

    private func format(of kind: TaskDefinition.Kind) throws(SettingsError) -> ExampleFormat {
        guard let format else {
            if case .span = kind { return .squad }
            if case .maskedWords = kind { return .jsonText }
            return .canonical
        }
        let name = format.value.rawValue
        switch (format.value, kind) {
        case (.text, .maskedWords), (.book, .maskedWords), (.jsonText, .maskedWords): break
        case (_, .maskedWords):
            throw format.source.error("is \(name), which has no documents; MaskLM needs text, book or json_text")
        case (.text, _), (.book, _), (.jsonText, _):
            throw format.source.error(
                "is \(name), which has documents; \(taskType.value.rawValue) needs another format")
        case (.canonical, .labelling), (.conll, .labelling): break
        case (_, .labelling):
            throw format.source.error(
                "is \(name), which has no labels of words; \(taskType.value.rawValue) needs canonical or conll")
        case (.squad, .span): break
        case (_, .span):
            throw format.source.error("is \(name), which has no answers; \(taskType.value.rawValue) needs squad")
        case (.squad, _):
            throw format.source.error(
                "is squad, which has questions about contexts; \(taskType.value.rawValue) needs another format")
        case (.conll, _):
            throw format.source.error(
                "is conll, which has labels of words; \(taskType.value.rawValue) needs another format")
        case (.glue, .ranking):
            throw format.source.error("is glue, which has no candidates; Ranking needs canonical")
        case (.snli, .classification(_, let labels)), (.scitail, .classification(_, let labels)):
            guard dataFormat.value == .pair else {
                throw format.source.error("is \(name), which has pairs; it needs data_format PremiseAndOneHypothesis")
            }
            guard !labels.isEmpty else {
                let example = format.value == .snli ? "contradiction, neutral, entailment" : "neutral, entails"
                throw format.source.error(
                    "is \(name), whose labels are words; add them in the order of classes: labels: [\(example)]")
            }
        case (.snli, _), (.scitail, _):
            throw format.source.error("is \(name), which has classes; \(taskType.value.rawValue) needs another format")
        default: break
        }
        return format.value
    }
}
