/// The scalar at `position` of valid UTF-8 and the position after it.
@inline(__always)
func decodeScalar(at position: Int, of text: UnsafeBufferPointer<UInt8>) -> (value: UInt32, next: Int) {
    func continuation(_ offset: Int) -> UInt32 { UInt32(text[position + offset] & 0x3F) }
    let lead = UInt32(text[position])
    if lead < 0x80 { return (lead, position + 1) }
    if lead < 0xE0 { return ((lead & 0x1F) << 6 | continuation(1), position + 2) }
    if lead < 0xF0 { return ((lead & 0xF) << 12 | continuation(1) << 6 | continuation(2), position + 3) }
    let high = (lead & 7) << 18 | continuation(1) << 12
    return (high | continuation(2) << 6 | continuation(3), position + 4)
}

/// Writes a scalar beyond ASCII as UTF-8 and returns the number of bytes.
@inline(__always)
func encodeScalar(_ value: UInt32, into bytes: UnsafeMutablePointer<UInt8>) -> Int {
    func continuation(_ shift: UInt32) -> UInt8 { UInt8(truncatingIfNeeded: value >> shift & 0x3F | 0x80) }
    if value < 0x800 {
        bytes[0] = UInt8(truncatingIfNeeded: value >> 6 | 0xC0)
        bytes[1] = continuation(0)
        return 2
    }
    if value < 0x10000 {
        bytes[0] = UInt8(truncatingIfNeeded: value >> 12 | 0xE0)
        bytes[1] = continuation(6)
        bytes[2] = continuation(0)
        return 3
    }
    bytes[0] = UInt8(truncatingIfNeeded: value >> 18 | 0xF0)
    bytes[1] = continuation(12)
    bytes[2] = continuation(6)
    bytes[3] = continuation(0)
    return 4
}
