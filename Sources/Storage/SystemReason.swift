import Foundation

/// Why the operating system refused, where Foundation may only say that an operation could not be completed.
public func systemReason(_ error: any Error) -> String {
    let underlying = (error as? CocoaError)?.userInfo[NSUnderlyingErrorKey] as? POSIXError
    guard let code = (error as? POSIXError ?? underlying)?.code else { return error.localizedDescription }
    return String(cString: strerror(code.rawValue))
}
