/// Every word of the demo's grammar.
///
/// Verbs have one form for past and participle, so active and passive sentences differ in order, "was" and "by" only.
enum DemoWords {
    static let animals = ["bear", "cat", "dog", "fox", "goat", "hen", "owl", "wolf"]
    static let verbs = ["called", "chased", "followed", "helped", "pushed", "watched"]
    static let topics = [
        "actor", "book", "concert", "film", "hotel", "meal", "music", "room", "soup", "story", "view", "waiter",
    ]
    static let praise = [
        "brilliant", "charming", "delightful", "excellent", "lovely", "splendid", "superb", "wonderful",
    ]
    static let blame = ["awful", "boring", "dreadful", "dull", "horrible", "mediocre", "terrible", "tiresome"]
    static let function = ["?", "although", "but", "by", "never", "not", "the", "was", "who"]

    /// BERT's five special words, then the grammar's words in alphabetical order: the lines of `vocab.txt`.
    static let vocabulary =
        ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
        + (animals + verbs + topics + praise + blame + function).sorted()
}
