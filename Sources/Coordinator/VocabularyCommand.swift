import ArgumentParser
import Data
import Training

/// `mtdnn vocabulary`: a WordPiece vocabulary learnt from texts.
struct VocabularyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vocabulary",
        abstract: "Learns a WordPiece vocabulary from texts, for an encoder that is trained from scratch.",
        discussion: "Equal texts give equal vocabularies. An encoder takes the file by `encoder: {vocab: FILE, ...}`.")

    @Argument(help: ArgumentHelp("Text files.", valueName: "corpus"))
    var corpus: [String]

    @Option(help: ArgumentHelp("Pieces at most, special tokens and characters among them.", valueName: "n"))
    var size: Int

    @Option(help: ArgumentHelp("Where the vocabulary goes, a piece in each line.", valueName: "file"))
    var output: String

    @Flag(help: "Each line of the corpus is a JSON object with its text under \"text\", as for the format json_text.")
    var jsonText = false

    @Flag(help: "Capitals and accents stay; the encoder says `lower_case: false` then.")
    var cased = false

    func validate() throws {
        if !(1...1_000_000).contains(size) {
            throw ValidationError("--size must be between 1 and 1000000, not \(size).")
        }
    }

    func run() throws {
        let counts = WordCounts(lowercases: !cased)
        for path in corpus { try counts.add(path: path, isJSON: jsonText) }
        let pieces = try VocabularyTrainer.pieces(of: counts, size: size)
        try Output.with(output, inputs: corpus) { try $0.write(pieces.map { "\($0)\n" }.joined()) }
        StandardStream.error.say("\(pieces.count) pieces from \(counts.total) words, \(counts.count) of them different")
    }
}
