import ArgumentParser

/// `--threads` of commands that compute in this process.
struct ThreadOption: ParsableArguments {
    @Option(help: "Threads.")
    var threads = 1

    func validate() throws { try ThreadOption.check(threads) }

    /// Throws where it is no number of threads.
    static func check(_ threads: Int) throws {
        guard !(1...1024).contains(threads) else { return }
        throw ValidationError("--threads must be between 1 and 1024, not \(threads).")
    }
}
