import Data
import Foundation
import Model
import Storage
import TestSupport
import Training

/// Small whole files, made by the programs that write them: a finished run with its data, and an encoder's folder.
enum Fixtures {
    /// Trains on two ranks and leaves all files in `folder`, which does not exist yet.
    static func make(in folder: String) throws {
        let suite = try SmallSuite()
        try FileManager.default.moveItem(atPath: suite.folder, toPath: folder)
        let settings = [
            "encoder.hidden_size=8", "encoder.num_hidden_layers=1", "encoder.num_attention_heads=2",
            "encoder.intermediate_size=8", "train=[single, query]", "epochs=1", "folder=\(folder)/run",
        ]
        let result = try runJob(
            ranks: 2, executable: "mtdnn-worker", arguments: ["\(folder)/run.yml"] + settings.flatMap { ["--set", $0] })
        guard result.status == 0 else { throw JobError(description: "\(result.output)\(result.error)") }
        try makeEncoder("\(folder)/encoder", vocabulary: "\(folder)/vocab.txt")
        let files = [
            ("glue.tsv", glue), ("pairs.json", pairs), ("queries.json", queries), ("snli.txt", snliColumns),
            ("snli.jsonl", snliLines), ("scitail.tsv", scitail), ("words.tsv", wordLists), ("words.txt", wordColumns),
            ("squad.json", squad),
            ("text.txt", text), ("book.txt", text), ("text.json", textLines),
        ]
        for (name, text) in files {
            try text.write(toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8)
        }
    }

    /// The checkpoint of the run.
    static func checkpoint(in fixtures: String) throws -> String {
        let folder = "\(fixtures)/run/checkpoints"
        guard let name = try FileManager.default.contentsOfDirectory(atPath: folder).max() else {
            throw JobError(description: "\(folder): has no checkpoint")
        }
        return "\(folder)/\(name)"
    }

    private static let text = "W1 w2. W3 w4\nw5 w6!\n\nW7 \u{201C}w8?\u{201D} W9\n\n\nW10.\n"
    private static let textLines = #"{"text": "W1 w2. W3\nw4"}"# + "\n" + #"{"text": "W5 w6? W7", "id": 1}"# + "\n"

    /// A model of these sizes with one head.
    static func model(_ sizes: EncoderSizes) -> MultiTaskModel {
        MultiTaskModel(
            encoder: sizes, heads: [HeadDefinition(task: "a", kind: .classification(classes: 2), dropout: 0)],
            dropout: .init(hidden: 0, attention: 0), capacity: .init(tokens: 1, sequences: 1, longest: 1),
            gradientBuffers: 0, touchedWords: 1)
    }

    private static func makeEncoder(_ folder: String, vocabulary: String) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try copy(vocabulary, to: folder)
        for (name, text) in [("config.json", configuration), ("tokenizer_config.json", tokenizer)] {
            try text.write(toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8)
        }
        var settings = RunSettings(encoder: .folder(folder), tasks: "", data: "", train: [], folder: "")
        settings.maximumLength = 16
        let model = model(try EncoderFiles(settings).sizes)
        let tensors = model.parameters.groups.dropLast().flatMap(\.parameters).map { parameter in
            (parameter.name, parameter.shape, [Float](repeating: 0.5, count: parameter.count))
        }
        try SafeTensors.write(tensors, to: "\(folder)/model.safetensors")
    }

    private static let configuration = """
        {"model_type": "bert", "hidden_act": "gelu", "vocab_size": 65, "hidden_size": 4, "num_hidden_layers": 1,
         "num_attention_heads": 2, "intermediate_size": 4, "max_position_embeddings": 16, "type_vocab_size": 2,
         "layer_norm_eps": 1e-12, "position_embedding_type": "absolute"}

        """

    private static let tokenizer = """
        {"do_lower_case": true, "strip_accents": null, "tokenize_chinese_chars": true, "model_max_length": 512,
         "tokenizer_class": "BertTokenizer"}

        """

    private static let glue = """
        index\tsentence1\tsentence2\tlabel
        0\tw1 w2\tw3\t0
        1\tw4\tw5 w6\t2
        2\tw7 w8\tw9\t1

        """

    private static let snliColumns = """
        gold_label\tsentence1_parse\tsentence1\tsentence2\tpairID\tlabel1\tlabel2
        neutral\t(w1)\tw1 w2\tw3\t1#n\tneutral
        -\t(w4)\tw4\tw5 w6\t2#c\tneutral\tentailment
        entailment\t(w7)\tw7 w8\tw9\t3#e\tentailment\t

        """

    private static let snliLines = """
        {"annotator_labels": ["neutral"], "gold_label": "neutral", "pairID": "1#n", "sentence1": "w1 w2", "sentence2": "w3"}
        {"annotator_labels": [], "gold_label": "-", "pairID": "2#c", "sentence1": "w4", "sentence2": "w5 w6"}
        {"gold_label": "entailment", "pairID": "3#e", "sentence1": "w7 w8", "sentence2": "w9"}

        """

    private static let scitail = """
        w1 w2\tw3\tentails
        w4\tw5 w6\tneutral
        w7 w8\tw9\tentailment

        """

    private static let wordLists = """
        0\t['O', 'B-X', 'I-X']\t['w1', "w2", 'it\\'s']
        1\t['O']\t['w4']

        """

    private static let wordColumns = """
        -DOCSTART- -X- O

        w1 N O
        w2\tN B-X

        w3 O

        """

    private static let squad = """
        {"version": "v2.0", "data": [{"title": "w", "paragraphs": [{"context": "w1 w2 İ\u{302E} w3 w4 w5 w6", "qas": [
        {"id": "1", "question": "w9 w8", "is_impossible": false, "answers": [{"text": "w3 w4", "answer_start": 9}]},
        {"id": "2", "question": "w7", "is_impossible": true, "answers": []}]}]}]}

        """

    private static let pairs = """
        {"uid": "0", "label": 1, "token_id": [2, 7, 9, 3, 11, 3], "type_id": [0, 0, 0, 0, 1, 1], "softlabel": [0.5, -1.25, 2]}
        {"uid": 1, "label": 0, "token_id": [2, 8, 3, 12, 64, 3], "type_id": [0, 0, 0, 1, 1, 1], "softlabel": [1e-7, 3, 0]}
        {"uid": "2", "label": 2, "token_id": [2, 9, 3, 13, 3], "type_id": [0, 0, 0, 1, 1], "softlabel": [4, 5, 6]}

        """

    private static let queries = """
        {"uid": "0", "label": [0, 1], "token_id": [[2, 7, 3, 11, 3], [2, 7, 3, 12, 3]], "type_id": [[0, 0, 0, 1, 1], [0, 0, 0, 1, 1]], "ruid": ["a", 2], "softlabel": [1, 2]}
        {"uid": "1", "label": [1, 0], "token_id": [[2, 8, 3, 9, 3], [2, 8, 3, 13, 14, 3]], "type_id": [[0, 0, 0, 1, 1], [0, 0, 0, 1, 1, 1]], "ruid": ["b", "c"], "softlabel": [-1, 0.5]}

        """
}
