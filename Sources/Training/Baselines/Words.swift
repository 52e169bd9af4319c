/// The words of a text as the baselines see them: lower-cased runs of letters and digits.
func words(of text: String) -> [String] {
    text.lowercased().split { !$0.isLetter && !$0.isNumber }.map(String.init)
}
