/// The largest difference, relative to the largest magnitude that was expected; infinite where counts differ or anything is not finite.
public func relativeError(_ found: [Float], _ expected: [Float]) -> Double {
    let largest = expected.reduce(0) { max($0, abs(Double($1))) }
    return absoluteError(found, expected) / largest
}

/// The largest difference; infinite where counts differ or anything is not finite.
public func absoluteError(_ found: [Float], _ expected: [Float]) -> Double {
    guard found.count == expected.count, (found + expected).allSatisfy(\.isFinite) else { return .infinity }
    return zip(found, expected).reduce(0) { max($0, abs(Double($1.0) - Double($1.1))) }
}

/// The bits of numbers: unlike `==`, comparing them tells 0 from -0 and lets a NaN equal itself.
public func bits(_ values: [Float]) -> [UInt32] { values.map(\.bitPattern) }
