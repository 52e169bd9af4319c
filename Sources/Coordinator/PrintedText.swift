import Foundation

/// What a child process prints, read as it comes: mpirun drops what its own standard output has no room for, and says nothing.
final class PrintedText: @unchecked Sendable {  // `contents` is written before `isWhole` is signalled, and read after
    /// The child's standard output.
    let pipe = Pipe()
    private var contents = Data()
    private let isWhole = DispatchSemaphore(value: 0)

    /// Begins to read. Called where the child is about to start.
    func read() {
        Thread.detachNewThread { [self] in
            contents = pipe.fileHandleForReading.readDataToEndOfFile()
            isWhole.signal()
        }
    }

    /// All of it, when the child and its children have ended. Called once.
    func text() -> String {
        isWhole.wait()
        return String(decoding: contents, as: UTF8.self)
    }
}
