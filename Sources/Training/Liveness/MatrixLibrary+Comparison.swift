import Kernels

extension MatrixLibrary {
    /// Version and build options without the kernel set, which some versions name among them.
    var version: String { configuration.split(separator: " ").filter { $0 != coreName }.joined(separator: " ") }

    /// All that the bits of products depend on, as a checkpoint keeps it.
    var fingerprint: String { "\(configuration) \(coreName)" }

    /// Kernel sets of x86 processors, each of which runs on processors of the later ones.
    private static let cores = [
        "Prescott", "Core2", "Penryn", "Nehalem", "Sandybridge", "Haswell", "Zen", "SkylakeX", "Cooperlake",
        "Sapphirerapids",
    ]

    /// The kernel set among `names` that is most likely to run on all their processors.
    static func mostCommonCore(of names: [String]) -> String { cores.first { names.contains($0) } ?? names[0] }

    /// Throws where a run in `folder` that was computed with another library, `old`, would go on with this one.
    func requireSame(as old: String, folder: String) throws {
        guard fingerprint != old else { return }
        let oldCore = old.split(separator: " ").last.map(String.init) ?? ""
        let isOtherVersion = old.split(separator: " ").filter { $0 != oldCore }.joined(separator: " ") != version
        throw TrainingError(
            isOtherVersion
                ? "\(folder) holds a run computed with \(old), and this host has \(fingerprint), whose products differ in their last bits; "
                    + "use the same OpenBLAS, or set `allow_other_hardware: true` and lose the exact result"
                : "\(folder) holds a run computed with OpenBLAS's kernels for \(oldCore), and this host has those for \(coreName), whose "
                    + "products differ in their last bits; start with OPENBLAS_CORETYPE=\(oldCore), or set `allow_other_hardware: true` and "
                    + "lose the exact result")
    }
}
