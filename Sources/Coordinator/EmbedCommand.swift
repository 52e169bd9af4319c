import ArgumentParser
import Foundation
import Training

/// `mtdnn embed`: vectors of texts by a trained encoder.
struct EmbedCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "embed",
        abstract: "Writes the encoder's vectors of texts, a line of JSON for each line of text.",
        discussion: "A line is {\"vector\"}, or with --tokens {\"tokens\", \"vectors\"}, a vector for each word piece.")

    @Argument(help: ArgumentHelp("A checkpoint, or a run folder for its best or else newest one.", valueName: "path"))
    var path: String

    @Option(help: ArgumentHelp("A file of texts, one in each line; - is standard input.", valueName: "file"))
    var input = "-"

    @Option(help: "What stands for a text: the mean of its tokens, or the first one ([CLS]) (default: mean).")
    var pooling: Pooling?

    @Flag(help: "A vector for each word piece instead.")
    var tokens = false

    @OptionGroup var team: ThreadOption

    @Option(
        name: .customLong("set"), help: ArgumentHelp("Where the vocabulary lies now.", valueName: "key=value"))
    var overrides: [String] = []

    func validate() throws {
        if tokens, pooling != nil {
            throw ValidationError("--pooling makes one vector of a text, --tokens many; give one of the two.")
        }
    }

    private struct SentenceLine: Encodable {
        var vector: [Float]
    }

    private struct TokenLine: Encodable {
        var tokens: [String]
        var vectors: [[Float]]
    }

    func run() throws {
        let lines = try TextLines(input)
        try TrainedModel.with(
            path, threads: team.threads, overrides: overrides, probe: .ownProcess, report: StandardStream.error.say
        ) {
            model in
            try lines.forEachBlock { block, first in
                let texts = block.map { String(bytes: $0, encoding: .utf8) }
                // What comes before a bad line has its answer all the same.
                let sound = texts.prefix { $0 != nil }.compactMap(\.self)
                try answer(sound, by: model)
                guard sound.count == texts.count else {
                    throw LaunchError("\(lines.name):\(first + sound.count): is not UTF-8")
                }
            }
        }
    }

    private func answer(_ texts: [String], by model: TrainedModel) throws {
        if tokens {
            try write(model.tokenVectors(texts).map { TokenLine(tokens: $0.pieces, vectors: $0.vectors) })
        } else {
            try write(model.sentenceVectors(texts, pooling ?? .mean).map(SentenceLine.init))
        }
    }

    private func write(_ lines: [some Encodable]) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        for line in lines { try Output.standard.say(String(decoding: encoder.encode(line), as: UTF8.self)) }
    }
}

extension Pooling: ExpressibleByArgument {}
