import Communication

/// Barrier, broadcast and gathers, for every element type.
func checkCollectives(_ world: Communicator) throws {
    try world.barrier()
    try checkElements(world, Float.self) { Float($0) }
    try checkElements(world, Double.self) { Double($0) }
    try checkElements(world, Int32.self) { Int32($0) }
    try checkElements(world, Int64.self) { Int64($0) << 40 }
    try checkElements(world, UInt64.self) { UInt64($0) << 60 }
    try checkElements(world, UInt8.self) { UInt8($0) }
}

private func checkElements<Element: MPIElement & Equatable & Comparable>(
    _ world: Communicator, _ type: Element.Type, _ make: (Int) -> Element
) throws {
    var values = [make(world.rank), make(world.rank + 1)]
    var gathered = [Element](repeating: make(0), count: 2 * world.size)
    try values.withUnsafeBufferPointer { source in
        try gathered.withUnsafeMutableBufferPointer { try world.allGather(source, into: $0) }
    }
    try expect("allGather of \(type)", gathered, equals: (0..<world.size).flatMap { [make($0), make($0 + 1)] })

    // Rank r fills r places, so one of them fills none.
    let counts = (0..<world.size).map { Int32($0) }
    let displacements = (0..<world.size).map { Int32($0 * ($0 - 1) / 2) }
    let total = world.size * (world.size - 1) / 2
    let whole = (0..<world.size).flatMap { [Element](repeating: make($0), count: $0) }
    var part = [Element](repeating: make(9), count: total)
    for index in 0..<world.rank { part[Int(displacements[world.rank]) + index] = make(world.rank) }
    try part.withUnsafeMutableBufferPointer {
        try world.allGatherInPlace($0, counts: counts, displacements: displacements)
    }
    try expect("allGatherInPlace of \(type)", part, equals: whole)

    try values.withUnsafeMutableBufferPointer { try world.broadcast($0, from: world.size - 1) }
    try expect("broadcast of \(type)", values, equals: [make(world.size - 1), make(world.size)])
}

/// Bytes and texts of unequal sizes, among them none.
func checkBytes(_ world: Communicator) throws {
    let name = { (rank: Int) in String(repeating: "é\(rank)", count: rank * 1000) }
    let names = (0..<world.size).map(name)
    try expect("allGather of texts", try world.allGather(name(world.rank)), equals: names)

    for count in [0, 1, 100_000] {
        var bytes: [UInt8] = world.rank == 0 ? .init(repeating: 7, count: count) : [1, 2, 3]
        try world.broadcast(&bytes, from: 0)
        try expect("broadcast of bytes", bytes, equals: .init(repeating: 7, count: count))
    }
}

/// Every rank sends to every rank, itself too, twice with the same requests.
func checkMessages(_ world: Communicator) throws {
    let count = 50_000
    let requests = Requests(capacity: 2 * world.size)
    let outgoing = UnsafeMutableBufferPointer<Float>.allocate(capacity: count)
    let incoming = UnsafeMutableBufferPointer<Float>.allocate(capacity: count * world.size)
    defer {
        outgoing.deallocate()
        incoming.deallocate()
    }
    try requests.waitAll()
    for round in 1...2 {
        outgoing.initialize(repeating: Float(world.rank * round))
        incoming.initialize(repeating: -1)
        for rank in 0..<world.size {
            let place = UnsafeMutableBufferPointer(rebasing: incoming[rank * count..<(rank + 1) * count])
            try world.receive(into: place, from: rank, tag: round, requests)
            try world.send(UnsafeBufferPointer(outgoing), to: rank, tag: round, requests)
        }
        try expect("messages under way", requests.count, equals: requests.capacity)
        try requests.waitAll()
        for rank in 0..<world.size {
            let received = Array(incoming[rank * count..<(rank + 1) * count])
            try expect("from rank \(rank)", received, equals: .init(repeating: Float(rank * round), count: count))
        }
    }
}

/// Parts of shared memory are aligned, distinct, and seen by all ranks of the host.
func checkWindow(_ world: Communicator) throws {
    let host = try world.hostCommunicator()
    try expect("ranks on this host", host.size, equals: world.size)
    for count in [1, 1000, 1 << 20] {
        let byteCount = count * MemoryLayout<Int64>.stride
        let window = try SharedWindow(on: host, byteCount: byteCount + 1000 * host.rank)
        let parts = (0..<host.size).map {
            let part = window.pointer(ofRank: $0)
            return UnsafeMutableBufferPointer(start: part.bindMemory(to: Int64.self, capacity: count), count: count)
        }
        for (rank, part) in parts.enumerated() {
            let address = UInt(bitPattern: part.baseAddress)
            try expect("remainder of part \(rank)", address % 64, equals: 0)
        }
        for round in 1...20 {
            for index in 0..<count where index % 97 == 0 { parts[host.rank][index] = Int64(host.rank * round + index) }
            try window.synchronize()
            for (rank, part) in parts.enumerated() {
                for index in 0..<count where index % 97 == 0 {
                    try expect("part \(rank)", part[index], equals: Int64(rank * round + index))
                }
            }
            try window.synchronize()
        }
    }
    // More than any host has; every rank must be told, and none may be left waiting.
    if host.size > 1 {
        do {
            _ = try SharedWindow(on: host, byteCount: 1 << 50)
        } catch {
            return try expect("the reason", "\(error)".contains("too few bytes left"), equals: true)
        }
        throw Mismatch(description: "a petabyte of shared memory was granted")
    }
}
