extension Tokenizer {
    /// An example's sentence, pair, or query with each of its candidates, in at most `maximumLength` tokens each.
    public func encode(_ example: Example, maximumLength: Int) -> TokenizedExample {
        let sequences =
            example.second.isEmpty
            ? [encode(example.first, maximumLength: maximumLength)]
            : example.second.map { encode(example.first, $0, maximumLength: maximumLength) }
        return TokenizedExample(uid: example.uid, sequences: sequences, label: example.label)
    }
}
