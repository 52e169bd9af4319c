import Foundation

/// Whether a value of parsed JSON is true or false, which Foundation gives as numbers too.
public func isTruthValue(_ value: Any) -> Bool {
    (value as? NSNumber).map { String(cString: $0.objCType) == "c" } ?? false
}
