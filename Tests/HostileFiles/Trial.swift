import Foundation

/// Many mutants of one format, read one after another.
struct Trial {
    private let format: Format
    private let subject: Format.Subject
    /// Where the mutants are, and what they may name instead.
    private let folders: [String]
    private let tally = Tally.share()

    /// - Parameters:
    ///   - fixtures: what `prepare` made.
    ///   - work: an empty folder for the mutants.
    init(_ format: Format, fixtures: String, work: String) throws {
        self.format = format
        folders = [work, fixtures]
        subject = try format.open(fixtures, work)
        for mutant in subject.mutants {
            try mutant.write(nil)
            try subject.read(mutant.path)
        }
    }

    /// Reads the mutants of all `seeds`; returns whether every reader did what it must.
    func run(seeds: Range<UInt64>) throws -> Bool {
        var crashed = 0, failures = 0
        var next = seeds.lowerBound
        while next < seeds.upperBound {
            // A reader of HDF5 may leave broken memory behind, so each has a process of its own.
            let end = format.isHDF5 ? next + 1 : seeds.upperBound
            let outcome = runReader(processorSeconds: format.isHDF5 ? 2 : nil) {
                for seed in next..<end { read(seed) }
            }
            guard outcome != .exited(0) else {
                next = end
                continue
            }
            if format.isHDF5, case .signalled(let signal) = outcome, ![SIGILL, SIGTRAP, SIGALRM].contains(signal) {
                crashed += 1
            } else {
                failures += 1
                complain("ended with \(outcome)", seed: tally.pointee.seed)
            }
            next = tally.pointee.seed + 1
        }
        let fitting = subject.mutants.contains { $0.fit != nil } ? seeds.count(where: Trial.isMadeToFit) : 0
        print(
            "\(format.name): \(seeds.count) mutants: \(tally.pointee.accepted) accepted, \(tally.pointee.refused) refused, "
                + "\(crashed) crashed, \(fitting) made to fit")
        return failures == 0 && tally.pointee.unnamed == 0
    }

    /// Whether checksums are made to fit the mutant, so that it gets past them.
    static func isMadeToFit(_ seed: UInt64) -> Bool { !seed.isMultiple(of: 2) }

    private func read(_ seed: UInt64) {
        tally.pointee.seed = seed
        alarm(patience)
        let mutant = subject.mutants[Int(seed / 2) % subject.mutants.count]
        do {
            try mutant.write(seed)
            try subject.read(mutant.path)
            tally.pointee.accepted += 1
        } catch {
            tally.pointee.refused += 1
            if !folders.contains(where: "\(error)".contains) {
                tally.pointee.unnamed += 1
                complain("gives an error that names no file: \(error)", seed: seed)
            }
        }
        alarm(0)
        do {
            try mutant.write(nil)
            try subject.restore()
        } catch { fail("\(error)") }
    }

    private func complain(_ sentence: String, seed: UInt64) {
        FileHandle.standardError.write(
            Data("HostileFiles: \(format.name) \(seed) 1 FOLDER: the reader \(sentence)\n".utf8))
    }
}
