import Foundation
import Storage

/// Renews what a lock's file says of its holder, from a thread of its own.
final class Heartbeat: @unchecked Sendable {  // guarded by `condition`
    private let condition = NSCondition()
    private let file: LockFile
    /// What the file shall say; whatever it says, where another process is the holder.
    private var holder: RunLock.Holder?
    private var isRunning = false
    private let onReplaced: (@Sendable () -> Void)?
    private static let interval = 1.0

    /// - Parameter onReplaced: called where somebody removed the file and another holder made it anew.
    init(_ file: LockFile, _ holder: RunLock.Holder? = nil, onReplaced: (@Sendable () -> Void)? = nil) {
        self.onReplaced = onReplaced
        self.file = file
        self.holder = holder
    }

    func start() throws {
        if let holder { try write(holder) }
        isRunning = true
        Thread.detachNewThread { [self] in
            condition.lock()
            while isRunning {
                _ = condition.wait(until: Date() + Heartbeat.interval)
                // A beat that a full disk swallows is made up for by a later one; the kernel's lock holds meanwhile.
                if isRunning { do { try renew() } catch {} }
                if isRunning, file.isReplaced { onReplaced?() }
            }
            condition.unlock()
        }
    }

    /// Changes the entry of this process.
    func change(_ change: (inout RunLock.Holder) -> Void) throws {
        condition.lock()
        defer { condition.unlock() }
        guard var changed = holder else { return }
        change(&changed)
        holder = changed
        try write(changed)
    }

    /// Ends the thread and leaves the file as it is.
    func stop() {
        condition.lock()
        isRunning = false
        condition.signal()
        condition.unlock()
    }

    /// Empties the file: nobody is the holder.
    func end() throws {
        stop()
        condition.lock()
        defer { condition.unlock() }
        // Whoever changes the entry from here on would write over the next holder's.
        holder = nil
        try file.write([])
    }

    private func renew() throws {
        guard var entry = try holder ?? RunLock.holder(in: file) else { return }
        entry.heartbeat = RunLock.now()
        if StopRequest.isAsked { entry.isStopping = true }
        if holder != nil { holder = entry }
        try write(entry)
    }

    private func write(_ entry: RunLock.Holder) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        try file.write(Array(try encoder.encode(entry)) + [UInt8(ascii: "\n")])
    }
}
