import Communication
import Data
import Foundation
import Model
import Storage
import TestSupport
import Training

/// The ten steps of `training.safetensors` by the real trainer: its sampler, slices, exchange, clipping and optimizer.
///
/// The trainer's sampler chooses rows at random and any of its steps can be taken alone. So the rows of the reference's batches are put
/// into one file for each task, and those steps are taken, in the reference's order, whose random rows are just the rows of a
/// reference batch.
func runReference(_ world: Communicator, folder: String) throws {
    let reference = try ReferenceRun(folder: folder)
    if world.rank == 0 { try reference.writeFiles() }
    try world.barrier()
    let tasks = try reference.tasks()
    let plan = try RunPlan(
        reference.settings, tasks, sizes: ReferenceRun.sizes, rank: world.rank, rankCount: world.size)
    let (model, memory) = try HostMemory.makeModel(
        world, host: world.hostCommunicator(), encoder: ReferenceRun.sizes,
        heads: tasks.map { $0.head(reference.settings) }, dropout: 0, plan)
    try reference.load(model)
    try world.barrier()
    let trainer = Trainer(world, reference.settings, tasks, plan, model, memory)
    for number in try reference.steps(trainer) {
        let step = try trainer.step(number)
        if world.rank == 0 { print("\(step.loss) \(step.gradientNorm)") }
    }
    try writeWeights(trainer, world, to: "\(folder)/final-\(world.size).safetensors")
}

/// What the reference program trained on.
struct ReferenceRun {
    static let sizes = EncoderSizes(
        vocabularySize: 100, hiddenSize: 32, layerCount: 3, headCount: 4, intermediateSize: 64, maximumPositions: 64)
    private static let stepCount = 10
    private static let names = ["classification", "regression", "ranking", "san"]
    private let tensors: SafeTensors
    private let folder: String

    init(folder: String) throws {
        self.folder = folder
        tensors = try SafeTensors(References.path("training.safetensors"))
    }

    /// torch's Adamax at a constant rate, without any dropout.
    var settings: RunSettings {
        var settings = RunSettings(encoder: .folder(folder), tasks: folder, data: folder, train: [], folder: folder)
        settings.epochs = 8000
        settings.batchSize = 5
        settings.slices = 8
        settings.optimizer = .adamaxTorch
        settings.learningRate = 2e-3
        settings.schedule = .constant
        settings.warmup = 0
        settings.weightDecay = 0
        settings.gradientClip = 1
        settings.dropout = 0
        settings.taskDropout = 0
        settings.answerNetwork.predictionDropout = 0
        return settings
    }

    func load(_ model: MultiTaskModel) throws {
        for parameter in model.parameters.all {
            let values = UnsafeMutableBufferPointer(start: parameter.pointer, count: parameter.count)
            try tensors.read("parameters.\(parameter.name)", into: values)
        }
    }

    /// A token file for each task, the examples of its batches one after another, named by the step of their batch.
    func writeFiles() throws {
        var builders = Self.names.map { _ in TokenFile.Builder() }
        for step in 0..<Self.stepCount { try append(step, to: &builders[step % Self.names.count]) }
        for (name, builder) in zip(Self.names, builders) {
            try builder.write(to: "\(folder)/\(name).h5", attributes: [:])
        }
    }

    private func append(_ step: Int, to builder: inout TokenFile.Builder) throws {
        func integers(_ key: String) throws -> [Int] {
            try tensors.readIntegers("batch.\(step).\(key)").map { Int($0) }
        }
        let tokens = try integers("tokens")
        let segments = try integers("segments")
        let offsets = try integers("offsets")
        let sequences = (0..<offsets.count - 1).map { index in
            let range = offsets[index]..<offsets[index + 1]
            return (tokens: tokens[range].map { Int32($0) }, segments: segments[range].map { UInt8($0) })
        }
        guard Self.names[step % Self.names.count] == "ranking" else {
            let labels =
                Self.names[step % Self.names.count] == "regression"
                ? try tensors.read("batch.\(step).labels") : try integers("labels").map(Float.init)
            for (sequence, label) in zip(sequences, labels) {
                builder.append([sequence], label: label, uid: "\(step)")
            }
            return
        }
        var first = 0
        for (size, positive) in zip(try integers("query_sizes"), try integers("positives")) {
            builder.append(Array(sequences[first..<first + size]), label: Float(positive), uid: "\(step)")
            first += size
        }
    }

    func tasks() throws -> [PreparedTask] {
        let classes = TaskDefinition.Kind.classification(classCount: 3, labels: [])
        var definitions = [
            TaskDefinition(name: "classification", kind: classes, isPair: true, metrics: []),
            TaskDefinition(name: "regression", kind: .regression(scoreRange: nil), isPair: true, metrics: []),
            TaskDefinition(name: "ranking", kind: .ranking(labels: []), isPair: true, metrics: []),
            TaskDefinition(name: "san", kind: classes, isPair: true, metrics: []),
        ]
        definitions[2].batchSize = 3
        definitions[3].usesStochasticAnswerNetwork = true
        return try definitions.map {
            PreparedTask(definition: $0, train: try TokenFile("\(folder)/\($0.name).h5"), developments: [])
        }
    }

    /// The trainer's steps whose batches are those of the reference's steps, in the reference's order.
    func steps(_ trainer: Trainer) throws -> [Int] {
        var found = [Int?](repeating: nil, count: Self.stepCount)
        for number in 0..<trainer.stepCount {
            let batch = trainer.sampler.batch(at: number)
            let size = trainer.sampler.tasks[batch.task].batchSize
            // The reference's batches of a task lie in its file one after another.
            let ordinals = Set((0..<batch.count).map { batch[$0] / size })
            if ordinals.count == 1, let ordinal = ordinals.first {
                found[ordinal * Self.names.count + batch.task] = number
            }
        }
        return try found.enumerated().map { step, number in
            guard let number else {
                throw Mismatch(description: "no step has the rows of the reference's step \(step)")
            }
            return number
        }
    }
}
