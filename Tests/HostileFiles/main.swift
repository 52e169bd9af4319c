// Readers of files against files made to hurt them.
//
//   HostileFiles prepare FOLDER           makes small whole files of all formats, by the programs that write them
//   HostileFiles FORMAT SEED COUNT FOLDER reads COUNT mutants of one format, those of SEED, SEED + 1, ...
//   HostileFiles formats                  names the formats, with their share of ten thousand mutants
//
// The second form prints `FORMAT: COUNT mutants: A accepted, R refused, C crashed, M made to fit` and fails where a reader
// of text crashed, hung or asked for more than 1 GiB, where an error does not name its file, or where our own code trapped.

import Foundation
import TestSupport

let arguments = Array(CommandLine.arguments.dropFirst())
do {
    switch (arguments.first, arguments.count) {
    case ("formats", 1): for format in Format.all { print("\(format.name) \(format.share)") }
    case ("prepare", 2): try Fixtures.make(in: arguments[1])
    case (let name?, 4):
        guard let format = Format.all.first(where: { $0.name == name }), let seed = UInt64(arguments[1]),
            let count = UInt64(arguments[2])
        else { fail("unknown format \(name), or SEED and COUNT are not numbers") }
        // In memory where there is such a folder: disks are slow with thousands of small files.
        let memory = "/dev/shm"
        let work = "\(access(memory, W_OK) == 0 ? memory : arguments[3])/hostile-files-\(name)-\(getpid())"
        try FileManager.default.createDirectory(atPath: work, withIntermediateDirectories: true)
        let isGood = Result { try Trial(format, fixtures: arguments[3], work: work).run(seeds: seed..<seed + count) }
        try FileManager.default.removeItem(atPath: work)
        exit(try isGood.get() ? 0 : 1)
    default: fail("prepare FOLDER, formats, or FORMAT SEED COUNT FOLDER")
    }
} catch {
    fail("\(error)")
}
