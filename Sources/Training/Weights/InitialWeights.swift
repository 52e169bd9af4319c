import Communication
import Foundation
import Model
import Storage

/// `initialize`: the first values of a new run from another run's checkpoint, for refining first and fine-tuning then.
struct InitialWeights {
    private let choice: InitializeSettings
    private let origin: Manifest.Origin
    private let model: MultiTaskModel
    private let memory: HostMemory

    /// - Parameter origin: the new run, whose encoder and tokenizer the checkpoint must have.
    init(_ choice: InitializeSettings, origin: Manifest.Origin, model: MultiTaskModel, memory: HostMemory) {
        self.choice = choice
        self.origin = origin
        self.model = model
        self.memory = memory
    }

    /// Loads encoder and pooler, and the heads of the same name and shape if asked, on all ranks.
    /// - Returns: sentences that say what was taken.
    func load(_ world: Communicator) throws -> [String] {
        var notes: [String] = []
        let path = try world.fromFirst {
            let checkpoint = try Checkpoint.find(choice.checkpoint, probe: .ownProcess) {
                notes.append("initialize: \($0)")
            }
            try requireSameEncoder(checkpoint)
            return checkpoint.path
        }
        notes.append(try world.agree { try load(Checkpoint(path: path)) })
        try memory.synchronize()
        return notes
    }

    private func load(_ checkpoint: Checkpoint) throws -> String {
        let groups = model.parameters.groups
        let heads = groups.filter { group in
            choice.heads && group.task != nil
                && group.parameters.allSatisfy { checkpoint.manifest.origin.parameters[$0.name] == $0.shape }
        }
        let taken = (groups.filter { $0.task == nil } + heads).flatMap(\.parameters)
        let parameters = Dictionary(uniqueKeysWithValues: taken.map { ($0.name, $0) })
        try checkpoint.forEachPart { file, part in
            guard memory.isFirstOfHost, let parameter = parameters[part.name] else { return }
            try part.read(from: file, into: parameter)
        }
        let names = heads.compactMap(\.task)
        return "initialize: encoder and pooler of step \(checkpoint.step) of \(checkpoint.path)"
            + (choice.heads ? ", and heads: \(names.isEmpty ? "none fits" : names.joined(separator: ", "))" : "")
    }

    /// Names the first thing that the checkpoint has otherwise than the new run.
    private func requireSameEncoder(_ checkpoint: Checkpoint) throws {
        let old = checkpoint.manifest.origin
        func refuse(_ difference: String) -> TrainingError {
            TrainingError("`initialize`: \(checkpoint.path): \(difference); take `encoder` as that run has it")
        }
        for (name, size) in origin.encoder.sorted(by: { $0.key < $1.key }) where old.encoder[name] != size {
            throw refuse("\(name) is \(old.encoder[name] ?? "not given"), and \(size) in this run")
        }
        guard old.tokenizer == origin.tokenizer else { throw refuse("was trained with another vocabulary") }
        for parameter in model.parameters.groups.filter({ $0.task == nil }).flatMap(\.parameters) {
            guard let shape = old.parameters[parameter.name] else { throw refuse("has no \(parameter.name)") }
            guard shape == parameter.shape else {
                throw refuse("\(parameter.name) has shape \(shape), and \(parameter.shape) in this run")
            }
        }
    }
}
