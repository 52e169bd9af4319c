extension Tokenizer {
    /// An example's sentence, pair, query with each of its candidates, labelled words, or question with each window of its context, in at most
    /// `maximumLength` tokens each.
    /// - Parameter documentStride: How many tokens after the one before a window of a context starts.
    public func encode(_ example: Example, maximumLength: Int, documentStride: Int? = nil) -> TokenizedExample {
        if let answers = example.answers {
            return encodeQuestion(
                example, answers: answers, maximumLength: maximumLength,
                stride: documentStride ?? TaskDefinition.defaultDocumentStride)
        }
        if !example.words.isEmpty { return encodeWords(example, maximumLength: maximumLength) }
        let sequences =
            example.second.isEmpty
            ? [encode(example.first, maximumLength: maximumLength)]
            : example.second.map { encode(example.first, $0, maximumLength: maximumLength) }
        var encoded = TokenizedExample(uid: example.uid, sequences: sequences, label: example.label)
        encoded.candidateIDs = example.candidateIDs
        return encoded
    }

    /// Words one by one: a word's label stands at its first piece. Words beyond `maximumLength` are cut off whole, but of the first one what fits is kept.
    private func encodeWords(_ example: Example, maximumLength: Int) -> TokenizedExample {
        var tokens = [vocabulary.classification]
        var labels = [TokenLabel.none]
        var count = 0
        for (word, label) in zip(example.words, example.wordLabels) {
            var pieces = self.tokens(of: word)
            // A word of characters that the tokenizer drops is a word all the same.
            if pieces.isEmpty { pieces = [vocabulary.unknown] }
            if count == 0 { pieces = Array(pieces.prefix(maximumLength - 2)) }
            guard tokens.count + pieces.count < maximumLength else { break }
            tokens += pieces
            labels += [label] + repeatElement(TokenLabel.none, count: pieces.count - 1)
            count += 1
        }
        tokens.append(vocabulary.separator)
        labels.append(TokenLabel.none)
        let text = EncodedText(tokens: tokens, segments: [UInt8](repeating: 0, count: tokens.count))
        return TokenizedExample(
            uid: example.uid, sequences: [text], label: example.label.map { _ in Float(count) }, tokenLabels: labels)
    }
}
