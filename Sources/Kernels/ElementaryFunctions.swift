// Functions of doubles that use the four operations and roots alone: the same bits on every machine, which a library's do not promise.

/// baseⁿ by repeated squaring.
public func power(_ base: Double, _ exponent: Int) -> Double {
    var result = 1.0
    var square = base
    var rest = exponent
    while rest > 0 {
        if rest & 1 == 1 { result *= square }
        square *= square
        rest >>= 1
    }
    return result
}

/// ln x for a positive finite number, to some units in the last place; -infinity of 0.
///
/// x = m · 2ᵉ with √½ < m ≤ √2, and ln m = 2 artanh s with s = (m - 1) / (m + 1), whose series ends quickly as |s| < 0.172.
public func logarithm(_ x: Double) -> Double {
    guard x != 0 else { return -.infinity }
    var exponent = Double(x.exponent)
    var m = x.significand
    if m * m > 2 {
        m /= 2
        exponent += 1
    }
    let s = (m - 1) / (m + 1)
    var sum = 0.0
    for odd in stride(from: 21.0, through: 1, by: -2) { sum = sum * (s * s) + 1 / odd }
    return exponent * 0.693_147_180_559_945_3 + 2 * s * sum
}

/// eˣ for x from -700 to 700, to some units in the last place; beyond, 0 or infinity, and NaN of NaN.
///
/// x = n · ln 2 + r with |r| ≤ ½ ln 2, where Taylor's series ends quickly.
public func exponential(_ x: Double) -> Double {
    // Scores of a run that diverges come here, too; the step that finds its loss not finite says so.
    guard abs(x) <= 800 else { return x.isNaN ? x : x > 0 ? .infinity : 0 }
    let n = (x / 0.693_147_180_559_945_3).rounded()
    // ln 2 in two parts, of which the first has so few bits that n times it is exact.
    let r = (x - n * 0.693_147_180_369_123_8) - n * 1.908_214_929_270_587_7e-10
    var sum = 1.0
    for term in stride(from: 14.0, through: 1, by: -1) { sum = 1 + r / term * sum }
    return Double(sign: .plus, exponent: Int(n), significand: sum)
}

/// cos 2πt for t from 0 to 1, to some units in the last place of 1.
///
/// By symmetry it is ± the cosine or sine of at most an eighth of a turn, where Taylor's series end quickly.
public func cosine(turns t: Double) -> Double {
    let half = t > 0.5 ? 1 - t : t
    let isNegative = half > 0.25
    let quarter = isNegative ? 0.5 - half : half
    let isSine = quarter > 0.125
    let x = 2 * Double.pi * (isSine ? 0.25 - quarter : quarter)
    var sum = 1.0
    // 1 - x²/(1·2) (1 - x²/(3·4) (1 - ...)), and for the sine 1 - x²/(2·3) (1 - x²/(4·5) (1 - ...)).
    for term in stride(from: 9.0, through: 1, by: -1) {
        sum = 1 - x * x / (2 * term * (isSine ? 2 * term + 1 : 2 * term - 1)) * sum
    }
    let value = isSine ? x * sum : sum
    return isNegative ? -value : value
}
