/// Philox 4x32-10, a counter-based random number generator (Salmon et al., SC 2011): the numbers at a counter are a pure function
/// of counter and key, so any rank can compute any of them alone.
public enum Philox {
    /// The four 32-bit words at one counter.
    public static func block(counter: SIMD4<UInt32>, key: SIMD2<UInt32>) -> SIMD4<UInt32> {
        let words = blocks(
            (
                SIMD4(repeating: UInt64(counter.x)), SIMD4(repeating: UInt64(counter.y)),
                SIMD4(repeating: UInt64(counter.z)), SIMD4(repeating: UInt64(counter.w))
            ), key: key)
        return SIMD4(
            UInt32(truncatingIfNeeded: words.0[0]), UInt32(truncatingIfNeeded: words.1[0]),
            UInt32(truncatingIfNeeded: words.2[0]), UInt32(truncatingIfNeeded: words.3[0]))
    }

    /// Four times four words, a lane for each block.
    public typealias Words = (SIMD4<UInt64>, SIMD4<UInt64>, SIMD4<UInt64>, SIMD4<UInt64>)

    /// Four blocks at once, a lane each. Words stand in the low halves of 64-bit lanes, where one instruction multiplies them in full.
    @inline(__always)
    public static func blocks(_ counter: Words, key: SIMD2<UInt32>) -> Words {
        let low = SIMD4<UInt64>(repeating: 0xFFFF_FFFF)
        var (c0, c1, c2, c3) = counter
        var k0 = SIMD4(repeating: UInt64(key.x))
        var k1 = SIMD4(repeating: UInt64(key.y))
        for _ in 0..<10 {
            let product0 = (c0 & low) &* SIMD4(repeating: 0xD251_1F53)
            let product1 = (c2 & low) &* SIMD4(repeating: 0xCD9E_8D57)
            c0 = (product1 &>> 32) ^ c1 ^ k0
            c1 = product1 & low
            c2 = (product0 &>> 32) ^ c3 ^ k1
            c3 = product0 & low
            k0 = (k0 &+ SIMD4(repeating: 0x9E37_79B9)) & low
            k1 = (k1 &+ SIMD4(repeating: 0xBB67_AE85)) & low
        }
        return (c0, c1, c2, c3)
    }
}
