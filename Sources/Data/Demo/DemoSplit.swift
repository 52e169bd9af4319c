/// Whether a filling of the grammar's templates serves for training or for the dev set.
enum DemoSplit: String, CaseIterable {
    case train, dev

    /// The split of a filling: a fifth of them, chosen by a hash of the words alone, is kept for the dev set.
    ///
    /// All tasks and all seeds agree, so what one task trains on is never another task's dev sentence.
    init(filling: [String]) {
        // FNV-1a, with a separator after each word; Swift's own hashes differ from run to run.
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in filling.joined(separator: " ").utf8 {
            hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3
        }
        self = (hash >> 32) % 5 == 0 ? .dev : .train
    }
}
