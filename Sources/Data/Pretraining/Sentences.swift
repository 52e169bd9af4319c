/// The sentences of a text, for the pairs of pre-training, to which it matters little where exactly one ends.
///
/// A sentence ends after `.`, `!` or `?` and the quotes and brackets that close there, where white space follows and then anything but a small letter.
func sentences(of text: some StringProtocol) -> [String] {
    var sentences: [String] = []
    var sentence = String.UnicodeScalarView()
    /// Whether the last character but white space ended a sentence, and whether there was white space since.
    var (isEnded, isApart) = (false, false)
    for scalar in text.unicodeScalars {
        if scalar.properties.isWhitespace {
            isApart = true
            continue
        }
        if isApart {
            if isEnded, !scalar.properties.isLowercase {
                sentences.append(String(sentence))
                sentence = .init()
            } else if !sentence.isEmpty {
                sentence.append(" ")
            }
        }
        let closes = isEnded && !isApart && "\"'\u{201D}\u{2019}\u{BB})]_*".unicodeScalars.contains(scalar)
        isEnded = closes || scalar == "." || scalar == "!" || scalar == "?"
        isApart = false
        sentence.append(scalar)
    }
    if !sentence.isEmpty { sentences.append(String(sentence)) }
    return sentences
}
