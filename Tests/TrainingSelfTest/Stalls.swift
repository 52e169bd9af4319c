import Communication
import Foundation
import Training

/// Trains on all ranks while one of them does something that stops the others: `stall RANK HOW FILE RUN.yml KEY=VALUE ...`. FILE does not
/// exist yet; the rank makes it just before it acts, where others have to wait for that.
func trainWithOneBadRank(_ world: Communicator, rank: Int, how: String, mark: String) throws {
    let settings = try world.agree {
        try RunSettings.load(path: arguments[4], overrides: Array(arguments[5...]))
    }
    let watch = try StallWatch(world, settings)
    let trainer = try TrainingRun(settings, world: world).build().trainer
    try RankPosition.located {
        for number in 0..<10 { try step(number, trainer, world, isBad: world.rank == rank, how, mark, settings.folder) }
    }
    try watch.end(world)
}

private func step(
    _ number: Int, _ trainer: Trainer, _ world: Communicator, isBad: Bool, _ how: String, _ mark: String,
    _ folder: String
) throws {
    let rank = world.rank
    RankPosition.enter(.log)
    if how == "asleep, and the disk hangs", number == 5 { hangDisk(of: rank, folder) }
    switch (how, isBad) {
    case ("slow", true): Thread.sleep(forTimeInterval: 0.8)
    case ("asleep", true) where number == 5, ("asleep, and the disk hangs", true) where number == 5:
        while true { Thread.sleep(forTimeInterval: 1) }
    case ("throws", true) where number == 5: throw Mismatch(description: "a rank of its own\nmind")
    case ("STOP in compute", true) where number == 5, ("KILL in compute", true) where number == 5:
        RankPosition.begin(step: 6)
        RankPosition.enter(.forward)
        waitForRecord(of: rank, in: folder) { $0.step == 6 && $0.phase == "forward" }
        strike(how)
    case ("STOP in a collective", true) where number == 5, ("KILL in a collective", true) where number == 5:
        Thread.detachNewThread {
            waitForRecord(of: rank, in: folder) { $0.step == 6 && $0.isWaiting }
            _ = FileManager.default.createFile(atPath: mark, contents: nil)
            strike(how)
        }
    case ("STOP in a collective", false) where number == 5, ("KILL in a collective", false) where number == 5:
        while !FileManager.default.fileExists(atPath: mark) { Thread.sleep(forTimeInterval: 0.01) }
        Thread.sleep(forTimeInterval: 0.5)
    default: break
    }
    _ = try trainer.step(number)
}

private func waitForRecord(of rank: Int, in folder: String, _ condition: (RankRecord) -> Bool) {
    while !RankRecord.all(ofRun: folder).contains(where: { $0.rank == rank && condition($0) }) {
        Thread.sleep(forTimeInterval: 0.005)
    }
}

/// Puts a pipe that nobody reads in place of the record, so that to open it takes for ever.
private func hangDisk(of rank: Int, _ folder: String) {
    let record = "\(folder)/ranks/\(String(format: "rank-%03d", rank))"
    precondition(mkfifo("\(record).pipe", 0o600) == 0 && rename("\(record).pipe", record) == 0)
}

/// Sends this process the signal that `how` begins with.
private func strike(_ how: String) { kill(getpid(), how.hasPrefix("STOP") ? SIGSTOP : SIGKILL) }

/// Compares ranks of which the second has one other weight, or one other byte in a token file: `other weights RUN.yml`, `other data RUN.yml`.
func compareWithOneOddRank(_ world: Communicator) throws {
    let parts = try TrainingRun(
        try world.agree { try RunSettings.load(path: arguments[1]) }, world: world
    ).build(ranksPerHost: 1)
    let comparison = try RankComparison(world)
    try comparison.requireSameWeights(parts.trainer.model.parameters)
    try comparison.requireSameData(parts.tokenFiles)
    guard arguments[0] == "other data" else {
        if world.rank == 1 { parts.trainer.model.parameters.values[7] += 1 }
        return try comparison.requireSameWeights(parts.trainer.model.parameters)
    }
    // As on a host with a folder of its own.
    let copy = "\(arguments[1]).h5"
    if world.rank == 1 {
        var bytes = try Data(contentsOf: URL(fileURLWithPath: parts.tokenFiles[0]))
        bytes[bytes.count - 1] ^= 1
        try bytes.write(to: URL(fileURLWithPath: copy))
    }
    try world.barrier()
    try comparison.requireSameData([world.rank == 1 ? copy : parts.tokenFiles[0]] + parts.tokenFiles.dropFirst())
}
