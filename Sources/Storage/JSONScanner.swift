/// Reads the few JSON forms of a safetensors header: objects, strings and lists of whole numbers.
///
/// Every error names the byte of the header where it was found.
struct JSONScanner {
    private let text: UnsafeRawBufferPointer
    private let file: String
    private var position = 0

    init(_ text: UnsafeRawBufferPointer, file: String) {
        self.text = text
        self.file = file
    }

    func error(_ reason: String) -> StorageError {
        StorageError(file: file, place: "header byte \(position)", reason: reason)
    }

    /// Reads `{"key": value, ...}`; `member` must read the value of the key that it is given.
    mutating func object(
        _ member: (inout JSONScanner, _ key: String) throws(StorageError) -> Void
    ) throws(StorageError) {
        try expect("{", "an object")
        if accept("}") { return }
        repeat {
            let key = try string()
            try expect(":", "a colon")
            try member(&self, key)
        } while accept(",")
        try expect("}", "a comma or the end of the object")
    }

    /// Reads `[1, 2, ...]`, whole numbers from 0 up.
    mutating func integers() throws(StorageError) -> [Int] {
        try expect("[", "a list")
        if accept("]") { return [] }
        var numbers: [Int] = []
        repeat { numbers.append(try integer()) } while accept(",")
        try expect("]", "a comma or the end of the list")
        return numbers
    }

    /// Reads a string.
    mutating func string() throws(StorageError) -> String {
        try expect("\"", "a string")
        var bytes: [UInt8] = []
        while true {
            switch try next("the string does not end") {
            case UInt8(ascii: "\""):
                guard let string = String(validating: bytes, as: UTF8.self) else {
                    throw error("the string is not UTF-8")
                }
                return string
            case UInt8(ascii: "\\"): try escape(into: &bytes)
            case ..<0x20: throw error("a control character in a string")
            case let byte: bytes.append(byte)
            }
        }
    }

    /// Only spaces may follow: writers pad the header with them.
    mutating func end() throws(StorageError) {
        skipSpace()
        if position < text.count { throw error("something follows the header's object") }
    }

    private mutating func integer() throws(StorageError) -> Int {
        skipSpace()
        let start = position
        var number = 0
        while position < text.count, case let digit = text[position], (0x30...0x39).contains(digit) {
            let (product, first) = number.multipliedReportingOverflow(by: 10)
            let (sum, second) = product.addingReportingOverflow(Int(digit & 15))
            if first || second { throw error("the number is too large") }
            number = sum
            position += 1
        }
        if position == start { throw error("expected a whole number from 0 up") }
        return number
    }

    private mutating func escape(into bytes: inout [UInt8]) throws(StorageError) {
        switch try next("the string does not end") {
        case UInt8(ascii: "b"): bytes.append(0x08)
        case UInt8(ascii: "f"): bytes.append(0x0C)
        case UInt8(ascii: "n"): bytes.append(0x0A)
        case UInt8(ascii: "r"): bytes.append(0x0D)
        case UInt8(ascii: "t"): bytes.append(0x09)
        case UInt8(ascii: "u"):
            var units = [try codeUnit()]
            if UTF16.isLeadSurrogate(units[0]) {
                guard try next("half a character") == UInt8(ascii: "\\"),
                    try next("half a character") == UInt8(ascii: "u")
                else { throw error("half a character") }
                units.append(try codeUnit())
            }
            guard let character = String(validating: units, as: UTF16.self) else { throw error("half a character") }
            bytes += character.utf8
        case let byte where "\"\\/".utf8.contains(byte): bytes.append(byte)
        default: throw error("an unknown escape in a string")
        }
    }

    private mutating func codeUnit() throws(StorageError) -> UInt16 {
        var unit: UInt16 = 0
        for _ in 0..<4 {
            let digit = Character(UnicodeScalar(try next("the string does not end")))
            guard digit.isASCII, let value = digit.hexDigitValue else { throw error("not a hexadecimal digit") }
            unit = unit << 4 | UInt16(value)
        }
        return unit
    }

    private mutating func next(_ complaint: String) throws(StorageError) -> UInt8 {
        guard position < text.count else { throw error(complaint) }
        defer { position += 1 }
        return text[position]
    }

    private mutating func accept(_ character: Unicode.Scalar) -> Bool {
        skipSpace()
        guard position < text.count, text[position] == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func expect(_ character: Unicode.Scalar, _ what: String) throws(StorageError) {
        guard accept(character) else { throw error("expected \(what)") }
    }

    private mutating func skipSpace() {
        while position < text.count, " \t\n\r".utf8.contains(text[position]) { position += 1 }
    }
}
