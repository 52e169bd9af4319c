import Communication
import Foundation
import Kernels
import Model
import Storage

/// The checkpoints of a run: each is whole or does not exist, and none is ever overwritten.
///
/// Ranks write into `step-N.partial` and wait for the disk. When all report success, the first rank writes the view over all shards
/// and the manifest, waits for the disk again, renames the folder to `step-N`, and waits for that.
final class CheckpointStore {
    private let world: Communicator
    private let settings: RunSettings
    private let model: MultiTaskModel
    private let ownerships: [Ownership]
    private let optimizer: Optimizer
    private var folder: String { "\(settings.folder)/checkpoints" }
    private let matrixLibrary: String
    private let tasks: [String]

    init(_ world: Communicator, _ settings: RunSettings, _ tasks: [PreparedTask], _ trainer: Trainer) {
        self.world = world
        self.settings = settings
        model = trainer.model
        ownerships = trainer.ownerships
        optimizer = trainer.optimizer
        self.tasks = tasks.map(\.fingerprint)
        matrixLibrary = MatrixLibrary.prepare().fingerprint
    }

    /// Writes the state after `step` steps. A failed write is reported and leaves nothing behind; training goes on.
    func save(step: Int, report: (String) -> Void) throws {
        let whole = "\(folder)/\(CheckpointStore.name(step))"
        let partial = "\(whole).partial"
        let reports = try world.allGather(CheckpointStore.encode(Result { try writeShard(in: partial) }))
        let failures = reports.filter { $0.hasPrefix("!") }.map { String($0.dropFirst()) }
        if world.rank == 0 {
            do {
                guard failures.isEmpty else { throw TrainingError(failures.joined(separator: "; ")) }
                try commit(step: step, shards: reports, from: partial, to: whole)
                try removeOld()
            } catch {
                report("checkpoint of step \(step) was not written, training goes on: \(error)")
                removeIfPresent(partial)
            }
        }
        try world.barrier()
    }

    /// Loads the newest whole checkpoint of the run; returns its step, or nil where there is none.
    /// - Parameter report: receives a sentence for each checkpoint that is damaged and passed over.
    func restoreNewest(report: (String) -> Void) throws -> Int? {
        var choice: [UInt8] = []
        if world.rank == 0, let path = try newestWhole(report: report) { choice = Array(path.utf8) }
        try world.broadcast(&choice, from: 0)
        guard !choice.isEmpty else { return nil }
        return try world.agree { try restore(String(decoding: choice, as: UTF8.self)) }
    }

    private func restore(_ path: String) throws -> Int {
        let manifest = try Manifest(path: "\(path)/\(Manifest.name)")
        try requireSameSettings(manifest, path)
        var owned: [String: Optimizer.OwnedPiece] = [:]
        for piece in optimizer.owned.joined() { owned[piece.piece.parameter.name] = piece }
        for file in manifest.files where file.name.hasPrefix("shard-") {
            try Shard.read("\(path)/\(file.name)", into: model, owned: owned)
        }
        return manifest.step
    }

    private func writeShard(in partial: String) throws -> Manifest.File {
        try createFolder(partial)
        let name = Shard.name(rank: world.rank, of: world.size)
        let path = "\(partial)/\(name)"
        removeIfPresent(path)
        try Shard.write(to: path, owned: Array(optimizer.owned.joined()), values: model.parameters.values)
        return try CheckpointStore.describe(path, name)
    }

    private func commit(step: Int, shards: [String], from partial: String, to whole: String) throws {
        var files = try shards.map { try JSONDecoder().decode(Manifest.File.self, from: Data($0.utf8)) }
        let view = "\(partial)/model.h5"
        removeIfPresent(view)
        try writeView(to: view)
        files.append(try CheckpointStore.describe(view, "model.h5"))
        let manifest = Manifest(
            step: step, settings: settings, tasks: tasks, rankCount: world.size, matrixLibrary: matrixLibrary,
            files: files)
        let manifestPath = "\(partial)/\(Manifest.name)"
        try manifest.encoded().write(to: URL(fileURLWithPath: manifestPath))
        try synchronize(manifestPath)
        try synchronize(partial)
        try setAsideDamaged(whole)
        guard rename(partial, whole) == 0 else {
            throw TrainingError("\(whole): cannot be made of \(partial): \(String(cString: strerror(errno)))")
        }
        try synchronize(folder)
    }

    /// Where a checkpoint of this step stands already, it was found damaged and passed over: it makes room under another name.
    private func setAsideDamaged(_ whole: String) throws {
        guard FileManager.default.fileExists(atPath: whole) else { return }
        let aside = "\(whole).damaged"
        removeIfPresent(aside)
        guard rename(whole, aside) == 0 else {
            throw TrainingError("\(whole): is damaged and cannot be moved aside: \(String(cString: strerror(errno)))")
        }
    }

    /// `model.h5`: every parameter whole, as a view over the shards, for people with h5py. The trainer never reads it.
    private func writeView(to path: String) throws {
        let file = try HDF5File(creating: path)
        for ownership in ownerships {
            let pieces = (0..<world.size).map { ownership.pieces(of: $0) }
            for parameter in ownership.group.parameters {
                let dataset = "parameters/\(parameter.name)"
                let sources = pieces.enumerated().compactMap { rank, pieces in
                    pieces.first { $0.parameter.name == parameter.name }.map {
                        VirtualSource(
                            file: Shard.name(rank: rank, of: world.size), dataset: dataset,
                            rowCount: parameter.shape.count == 1 ? parameter.shape[0] : $0.rows.count,
                            firstRow: $0.rows.lowerBound)
                    }
                }
                try file.createVirtual(dataset, shape: parameter.shape, sources: sources)
            }
        }
        try file.close()
        try synchronize(path)
    }

    /// The folders of checkpoints by step, newest first.
    private func checkpoints() throws -> [(step: Int, path: String)] {
        guard FileManager.default.fileExists(atPath: folder) else { return [] }
        let names = try FileManager.default.contentsOfDirectory(atPath: folder)
        return names.compactMap { name in
            guard name.hasPrefix("step-"), let step = Int(name.dropFirst("step-".count)) else { return nil }
            return (step, "\(folder)/\(name)")
        }.sorted { $0.step > $1.step }
    }

    private func newestWhole(report: (String) -> Void) throws -> String? {
        for (_, path) in try checkpoints() {
            do {
                try Manifest(path: "\(path)/\(Manifest.name)").verify(folder: path)
                return path
            } catch {
                report("passed over a checkpoint: \(error)")
            }
        }
        return nil
    }

    private func requireSameSettings(_ manifest: Manifest, _ path: String) throws {
        let old = try RunSettings.parse(manifest.settings, path: "\(path)/\(Manifest.name)")
        let differences = settings.differencesThatMatter(from: old)
        guard differences.isEmpty else {
            throw TrainingError(
                "\(settings.folder) holds a run with other settings (\(differences.joined(separator: "; "))); "
                    + "use those settings, or another --folder")
        }
        guard manifest.tasks == tasks else {
            throw TrainingError(
                "\(settings.folder) holds a run with other task definitions, data or vocabulary; use those, or another --folder"
            )
        }
        if !settings.allowsOtherHardware {
            try MatrixLibrary.prepare().requireSame(as: manifest.matrixLibrary, folder: settings.folder)
        }
    }

    private func removeOld() throws {
        for (_, path) in try checkpoints().dropFirst(settings.keepLast) {
            try FileManager.default.removeItem(atPath: path)
        }
    }

    private func removeIfPresent(_ path: String) {
        do { try FileManager.default.removeItem(atPath: path) } catch { return }  // it was not there
    }

    private static func name(_ step: Int) -> String { String(format: "step-%08d", step) }

    private static func describe(_ path: String, _ name: String) throws -> Manifest.File {
        let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
        return Manifest.File(name: name, size: size, sha256: try Checksum.sha256(ofFile: path))
    }

    /// A file's description, or `!` and the reason why there is none.
    private static func encode(_ outcome: Result<Manifest.File, any Error>) throws -> String {
        switch outcome {
        case .success(let file): String(decoding: try JSONEncoder().encode(file), as: UTF8.self)
        case .failure(let error): "!\(error)"
        }
    }
}
