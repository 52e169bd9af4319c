import Foundation

/// Writes bytes to an open file, pipe or terminal, as many as it takes; returns how many, and leaves in `errno` why they are fewer.
///
/// A call that a signal interrupted is made again, and one that would have had to wait waits.
public func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Int {
    var done = 0
    while done < bytes.count {
        let count = Foundation.write(descriptor, bytes.baseAddress! + done, bytes.count - done)
        if count > 0 {
            done += count
        } else if count < 0, errno == EAGAIN {
            // Somebody else who has the same terminal may have told it not to wait.
            var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            poll(&waiting, 1, -1)
        } else if count == 0 || errno != EINTR {
            break
        }
    }
    return done
}
