import Foundation
import TestSupport
import Testing

@testable import Data

/// Reading `vocab.txt` and `tokenizer_config.json`: ids, and errors that name file and line.
@Suite struct TokenizerVocabularyTests {
    private let special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]

    @Test func idsAreLinesAndLeadBack() throws {
        let vocabulary = try Vocabulary(path: TokenizerFixtures.smallVocabulary)
        #expect(vocabulary.count == 1726)
        for id in 0..<Int32(vocabulary.count) { #expect(vocabulary.id(of: vocabulary.token(id)) == id) }
        #expect(vocabulary.id(of: "[MASK]") == vocabulary.mask)
        #expect(vocabulary.id(of: "lighthous") == nil)
        #expect(vocabulary.id(of: "") == nil)
    }

    @Test func lineEndsAreNoPartOfAToken() throws {
        try withFolder(["vocab.txt": (special + ["one", "two"]).joined(separator: "\r\n")]) { folder in
            let tokenizer = try Tokenizer(folder: folder)
            #expect(tokenizer.encode("ONE two").tokens == [2, 5, 6, 3])
        }
    }

    @Test func composedAndDecomposedSpellingsAreTwoTokens() throws {
        try withFolder(["vocab.txt": (special + ["\u{E9}", "e\u{301}"]).joined(separator: "\n")]) { folder in
            let vocabulary = try Vocabulary(path: "\(folder)/vocab.txt")
            #expect(vocabulary.id(of: "\u{E9}") == 5)
            #expect(vocabulary.id(of: "e\u{301}") == 6)
        }
    }

    @Test func damagedFilesAreNamedWithTheirLine() throws {
        try expectError("a\nb\na\n", "vocab.txt:8: token \"a\" stands in line 6 already")
        try expectError("a\n\nb\n", "vocab.txt:7: empty line; expected one token per line")
        try withFolder([:]) { folder in
            let path = "\(folder)/vocab.txt"
            try Data("[PAD]\n".utf8 + [0xC3, 0x28, 0x0A]).write(to: URL(fileURLWithPath: path))
            #expect(throws: TokenizerError.notUTF8(path: path, line: 2)) { try Vocabulary(path: path) }
            try Data("[PAD]\n[UNK]\n[CLS]\n[MASK]\n".utf8).write(to: URL(fileURLWithPath: path))
            #expect(throws: TokenizerError.missing(path: path, token: "[SEP]")) { try Vocabulary(path: path) }
            // A level of the trie for each byte: this one would need a million.
            let long = "\n" + String(repeating: "x", count: 1_000_000)
            try (special.joined(separator: "\n") + long).write(toFile: path, atomically: true, encoding: .utf8)
            #expect(throws: TokenizerError.overlong(path: path, line: 6, byteCount: 1_000_000, limit: 402)) {
                try Vocabulary(path: path)
            }
            let absent = "\(folder)/absent.txt"
            let error = #expect(throws: TokenizerError.self) { try Vocabulary(path: absent) }
            #expect(error?.description.hasPrefix("\(absent): no such file") == true)
        }
    }

    @Test(arguments: [
        ("{}", "cafe"), (#"{"strip_accents": null, "model_max_length": 512}"#, "cafe"),
        (#"{"do_lower_case": false}"#, "Café"), (#"{"do_lower_case": false, "strip_accents": true}"#, "Cafe"),
        (#"{"strip_accents": false}"#, "café"),
    ])
    func optionsOfTheConfiguration(json: String, spelling: String) throws {
        let words = ["cafe", "Café", "Cafe", "café", "中", "中中"]
        let files = ["vocab.txt": (special + words).joined(separator: "\n"), "tokenizer_config.json": json]
        try withFolder(files) { folder in
            let tokenizer = try Tokenizer(folder: folder)
            #expect(tokenizer.tokens(of: "Café 中中").map(tokenizer.vocabulary.token) == [spelling, "中", "中"])
        }
    }

    @Test func ideographsMayStayTogetherAndSpecialTokensBeNamedTwice() throws {
        let vocabulary = (special + ["中", "中中"]).joined(separator: "\n")
        let together = ["vocab.txt": vocabulary, "tokenizer_config.json": #"{"tokenize_chinese_chars": false}"#]
        try withFolder(together) { folder in
            let tokenizer = try Tokenizer(folder: folder)
            #expect(tokenizer.tokens(of: "中中") == [6])
        }
        let known = [
            "vocab.txt": vocabulary,
            "tokenizer_config.json": #"{"added_tokens_decoder": {"4": {"content": "[MASK]"}}}"#,
        ]
        try withFolder(known) { folder in
            let tokenizer = try Tokenizer(folder: folder)
            #expect(tokenizer.tokens(of: "中中") == [5, 5])
        }
    }

    @Test(arguments: [
        (#"{"do_lower_case": "yes"}"#, "do_lower_case is not true or false"),
        (#"{"added_tokens_decoder": 7}"#, "added_tokens_decoder is not of the kind that it should be"),
        ("[", "is not a JSON object as Hugging Face writes it"),
        (
            #"{"added_tokens_decoder": {"9": {"content": "<e1>", "special": false}}}"#,
            "adds the token \"<e1>\", which would be split here; take an encoder without added tokens"
        ),
    ]) func optionsThatWouldBeMisunderstoodAreRefused(json: String, reason: String) throws {
        try withFolder(["vocab.txt": special.joined(separator: "\n"), "tokenizer_config.json": json]) { folder in
            let error = #expect(throws: TokenizerError.self) { try Tokenizer(folder: folder) }
            #expect(error?.description == "\(folder)/tokenizer_config.json: \(reason)")
        }
    }

    @Test func tokensThatAFileOfTheirOwnAddsAreRefused() throws {
        let known = ["vocab.txt": special.joined(separator: "\n"), "added_tokens.json": #"{"[MASK]": 4}"#]
        try withFolder(known) { folder in
            let tokenizer = try Tokenizer(folder: folder)
            #expect(tokenizer.tokens(of: "[MASK]") == [4])
        }
        let added = known.merging(["added_tokens.json": #"{"[MASK]": 4, "<e1>": 5}"#]) { $1 }
        try withFolder(added) { folder in
            let error = #expect(throws: TokenizerError.self) { try Tokenizer(folder: folder) }
            #expect(error?.description.hasPrefix("\(folder)/added_tokens.json: adds the token \"<e1>\"") == true)
        }
    }

    @Test func truncationCutsTheLongerTextFirst() {
        // first, second, maximum; the table is Hugging Face's own test and its ties.
        #expect(truncatedCounts(first: 2, second: 4, maximum: 7) == (2, 4))
        #expect(truncatedCounts(first: 2, second: 8, maximum: 7) == (2, 5))
        #expect(truncatedCounts(first: 8, second: 2, maximum: 7) == (5, 2))
        #expect(truncatedCounts(first: 4, second: 4, maximum: 7) == (3, 4))
        #expect(truncatedCounts(first: 8, second: 4, maximum: 7) == (4, 3))
        #expect(truncatedCounts(first: 8, second: 8, maximum: 0) == (0, 0))
    }

    private func expectError(_ lines: String, _ message: String) throws {
        try withFolder(["vocab.txt": special.joined(separator: "\n") + "\n" + lines]) { folder in
            let error = #expect(throws: TokenizerError.self) { try Vocabulary(path: "\(folder)/vocab.txt") }
            #expect(error?.description == "\(folder)/\(message)")
        }
    }

    /// Runs `body` with a folder of the given files that exists only meanwhile.
    private func withFolder(_ files: [String: String], _ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try! FileManager.default.removeItem(at: folder) }
        for (name, content) in files { try Data(content.utf8).write(to: folder.appendingPathComponent(name)) }
        try body(folder.path)
    }
}
