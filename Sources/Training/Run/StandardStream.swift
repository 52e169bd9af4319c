import Foundation
import Storage

/// Where a program speaks to people while it works.
///
/// A sentence that nobody can hear (a full disk, a closed pipe) is no reason to end the work that it is about. Answers that must not be lost go another way.
public enum StandardStream: Int32, Sendable {
    /// Standard output.
    case output = 1
    /// Standard error.
    case error = 2

    /// Writes a sentence and a line's end.
    public func say(_ sentence: String) { write(sentence + "\n") }

    /// Writes a text at once: a job that is ended soon after would take along what is kept back, and other processes write to the same place.
    public func write(_ text: String) {
        _ = Array(text.utf8).withUnsafeBytes { Storage.write($0, to: rawValue) }
    }

    /// Fills the places of standard streams that a program was started without, before it opens anything.
    ///
    /// The next file opened would take such a place, and receive what is meant for people. Writing there fails as it does without a stream.
    public static func fillPlaces() {
        // The lowest free number is taken each time, so that rising order fills the right one.
        for number in STDIN_FILENO...STDERR_FILENO where fcntl(number, F_GETFD) == -1 {
            _ = open("/dev/null", O_RDONLY)
        }
    }
}
