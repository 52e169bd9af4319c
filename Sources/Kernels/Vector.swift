internal import CVector

/// Eight floats, the width of one AVX2 register.
public typealias Vector = SIMD8<Float>

extension Vector {
    /// Eight floats at any address.
    @inline(__always)
    init(at pointer: UnsafePointer<Float>) {
        self = UnsafeRawPointer(pointer).loadUnaligned(as: Vector.self)
    }

    /// The first `count` floats at `pointer`, the other lanes zero: the tail of a row passes through the same
    /// arithmetic as its body, so an element's bits do not depend on where it stands.
    @inline(__always)
    init(at pointer: UnsafePointer<Float>, count: Int) {
        self = vector8_first(pointer, count)
    }

    /// Writes all eight lanes.
    @inline(__always)
    func store(at pointer: UnsafeMutablePointer<Float>) {
        UnsafeMutableRawPointer(pointer).storeBytes(of: self, as: Vector.self)
    }

    /// Writes the first `count` lanes, fewer than eight.
    @inline(__always)
    func store(at pointer: UnsafeMutablePointer<Float>, count: Int) {
        // By halves: a store lane by lane would go through memory.
        let raw = UnsafeMutableRawPointer(pointer)
        var (four, offset) = (lowHalf, 0)
        if count & 4 != 0 {
            raw.storeBytes(of: four, as: SIMD4<Float>.self)
            (four, offset) = (highHalf, 16)
        }
        var two = four.lowHalf
        if count & 2 != 0 {
            raw.storeBytes(of: two, toByteOffset: offset, as: SIMD2<Float>.self)
            (two, offset) = (four.highHalf, offset + 8)
        }
        if count & 1 != 0 { raw.storeBytes(of: two.x, toByteOffset: offset, as: Float.self) }
    }

    /// The same with `value` in the lanes from `count` on.
    @inline(__always)
    func filled(from count: Int, with value: Float) -> Vector {
        let numbers = SIMD8<Int32>(0, 1, 2, 3, 4, 5, 6, 7)
        return replacing(with: value, where: numbers .>= SIMD8<Int32>(repeating: Int32(truncatingIfNeeded: count)))
    }

    /// The sum of the lanes, always in the same order.
    @inline(__always)
    var total: Float {
        let four = lowHalf + highHalf
        let two = four.lowHalf + four.highHalf
        return two.x + two.y
    }

    /// The largest lane.
    @inline(__always)
    var largest: Float {
        let four = larger(lowHalf, highHalf)
        let two = SIMD2(Swift.max(four.x, four.z), Swift.max(four.y, four.w))
        return Swift.max(two.x, two.y)
    }
}

@inline(__always)
private func larger(_ a: SIMD4<Float>, _ b: SIMD4<Float>) -> SIMD4<Float> { a.replacing(with: b, where: b .> a) }

/// The larger of each pair of lanes. (`pointwiseMax` works lane by lane.)
@inline(__always)
func larger(_ a: Vector, _ b: Vector) -> Vector { a.replacing(with: b, where: b .> a) }

/// The smaller of each pair of lanes.
@inline(__always)
func smaller(_ a: Vector, _ b: Vector) -> Vector { a.replacing(with: b, where: b .< a) }

/// Calls `body(start, count)` for runs of eight elements, the last of which may be shorter. The call stands once, so that it is inlined.
@inline(__always)
func forEachVector(_ count: Int, _ body: (_ start: Int, _ count: Int) -> Void) {
    var start = 0
    while start < count {
        body(start, min(8, count - start))
        start += 8
    }
}

/// a · b + c, with one rounding where the processor that is compiled for can.
@inline(__always)
func multiplyAdd(_ a: Vector, _ b: Vector, _ c: Vector) -> Vector { vector8_multiply_add(a, b, c) }

/// a · b + c for one factor and one summand that all lanes share.
@inline(__always)
func multiplyAdd(_ a: Vector, _ b: Vector, _ c: Float) -> Vector { multiplyAdd(a, b, Vector(repeating: c)) }

@inline(__always)
func load(_ pointer: UnsafePointer<Float>, _ count: Int) -> Vector {
    count == 8 ? Vector(at: pointer) : Vector(at: pointer, count: count)
}

@inline(__always)
func store(_ vector: Vector, _ pointer: UnsafeMutablePointer<Float>, _ count: Int) {
    if count == 8 { vector.store(at: pointer) } else { vector.store(at: pointer, count: count) }
}

/// eˣ to 2 units in the last place for x from -87.3 to 88.3; x is held to that range.
///
/// x = n·ln 2 + r with |r| ≤ ln 2 / 2; eʳ is a polynomial (minimax coefficients of the Cephes library), 2ⁿ is put together
/// from bits. Rounding adds and subtracts 1.5 · 2²³, because `.rounded()` works lane by lane.
@inline(__always)
func exponential(_ x: Vector) -> Vector {
    let bounded = smaller(larger(x, Vector(repeating: -87.3)), Vector(repeating: 88.3))
    let shifted = multiplyAdd(bounded, Vector(repeating: 1.442_695_04), 12_582_912)
    let n = shifted - 12_582_912
    let r = multiplyAdd(
        n, Vector(repeating: 2.121_944_4e-4), multiplyAdd(n, Vector(repeating: -0.693_359_375), bounded))
    var p = multiplyAdd(r, Vector(repeating: 1.987_569_15e-4), 1.398_199_95e-3)
    p = multiplyAdd(p, r, 8.333_451_9e-3)
    p = multiplyAdd(p, r, 4.166_579_6e-2)
    p = multiplyAdd(p, r, 1.666_666_55e-1)
    p = multiplyAdd(p, r, 5.000_000_1e-1)
    p = multiplyAdd(p, r * r, r) + 1
    let powerBits = unsafeBitCast(shifted, to: SIMD8<UInt32>.self) &<< 23
    let power = unsafeBitCast(unsafeBitCast(p, to: SIMD8<UInt32>.self) &+ powerBits, to: Vector.self)
    return power.replacing(with: x, where: x .!= x)  // a NaN must stay one: its bits are no number to add to
}

/// tanh x, from e⁻²ˣ for |x| ≥ 0.3 and an odd polynomial below, where the quotient would cancel.
@inline(__always)
func hyperbolicTangent(_ x: Vector) -> Vector {
    let magnitude = larger(x, -x)
    let decay = exponential(magnitude * -2)
    let quotient = (1 - decay) / (1 + decay)
    let square = x * x
    var p = square * (-1_382.0 / 155_925.0) + (62.0 / 2_835.0)
    p = p * square - (17.0 / 315.0)
    p = p * square + (2.0 / 15.0)
    p = p * square - (1.0 / 3.0)
    let small = x + x * square * p
    let large = quotient.replacing(with: -quotient, where: x .< 0)
    return large.replacing(with: small, where: magnitude .< 0.3)
}

/// 1 / (1 + e⁻ˣ)
@inline(__always)
func sigmoid(_ x: Vector) -> Vector { 1 / (1 + exponential(-x)) }

/// to += from
@inline(__always)
public func addVector(_ from: UnsafePointer<Float>, to: UnsafeMutablePointer<Float>, count: Int) {
    addVectors(to, from, into: to, count: count)
}

/// sum = a + b; it may be one of them.
@inline(__always)
public func addVectors(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, into sum: UnsafeMutablePointer<Float>, count: Int
) {
    forEachVector(count) { start, count in store(load(a + start, count) + load(b + start, count), sum + start, count) }
}

/// The sum of a[i]·b[i], in a fixed order.
@inline(__always)
public func dotProduct(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, count: Int) -> Float {
    var sum = Vector.zero
    forEachVector(count) { start, count in
        sum += load(a + start, count) * load(b + start, count)
    }
    return sum.total
}

/// The sum of squares in Double, in a fixed order.
public func sumOfSquares(_ values: UnsafePointer<Float>, count: Int) -> Double {
    var sum = SIMD4<Double>.zero
    var index = 0
    while index + 4 <= count {
        let four = SIMD4<Double>(UnsafeRawPointer(values + index).loadUnaligned(as: SIMD4<Float>.self))
        sum += four * four
        index += 4
    }
    var total = (sum.x + sum.z) + (sum.y + sum.w)
    while index < count {
        total += Double(values[index]) * Double(values[index])
        index += 1
    }
    return total
}
