import TestSupport
import Testing

@testable import Data

struct StrictTests {
    let folder = TemporaryFolder()

    /// What reading three keys says of `text`.
    private func errorOf(_ text: String, set overrides: String...) throws -> String {
        let path = try folder.write("run.yml", text)
        return message(in: folder) {
            var value = try StrictValue.read(path: path)
            for override in overrides { value = try value.setting(override) }
            return try read(value)
        }
    }

    private func read(_ value: StrictValue) throws(SettingsError) -> Int {
        try value.mapping { keys throws(SettingsError) in
            let size = try keys.required("batch_size").integer(.atLeast(1))
            _ = try keys["learning_rate"]?.number(.above(0))
            _ = try keys["warmup"]?.number(.between(0, 1))
            _ = try keys["dropout"]?.number(.from(0, below: 1))
            _ = try keys["lower_case"]?.boolean()
            _ = try keys["kind"]?.choice(of: Kind.self)
            _ = try keys["name"]?.string()
            for item in try keys["train"]?.list() ?? [] { _ = try item.string() }
            _ = try keys["encoder"]?.mapping { keys throws(SettingsError) in try keys["from"]?.path() }
            return size
        }
    }

    private enum Kind: String, CaseIterable { case linear, cosine }

    @Test(arguments: [
        ("batch_size: 32\nlearning_rat: 1", "run.yml:2: unknown key \"learning_rat\"; did you mean \"learning_rate\"?"),
        ("batch_size: 32\ncolour: 1", "run.yml:2: unknown key \"colour\""),
        ("batch_size: 32\nencoder:\n  form: x", "run.yml:3: unknown key \"form\" in encoder; did you mean \"from\"?"),
        ("\nbatchsize: 32", "run.yml:2: unknown key \"batchsize\"; did you mean \"batch_size\"?"),
        ("name: x", "run.yml:1: missing key \"batch_size\""),
        ("", "run.yml:1: missing key \"batch_size\""),
        ("batch_size: ~", "run.yml:1: missing key \"batch_size\""),
        ("batch_size: many", "run.yml:1: batch_size must be a whole number, not \"many\""),
        ("batch_size: 1.5", "run.yml:1: batch_size must be a whole number, not 1.5"),
        ("batch_size: \"32\"", "run.yml:1: batch_size must be a whole number, not the quoted text \"32\""),
        ("batch_size: [32]", "run.yml:1: batch_size must be a whole number, not a list"),
        ("batch_size: {}", "run.yml:1: batch_size must be a whole number, not a mapping"),
        ("batch_size: 0", "run.yml:1: batch_size must be at least 1, not 0"),
        (
            "batch_size: 99999999999999999999",
            "run.yml:1: batch_size must be a whole number from -9223372036854775808 to 9223372036854775807, "
                + "not 99999999999999999999"
        ),
        ("batch_size: 1\nlearning_rate: fast", "run.yml:2: learning_rate must be a number, not \"fast\""),
        ("batch_size: 1\nlearning_rate: .nan", "run.yml:2: learning_rate must be a number, not \".nan\""),
        (
            "batch_size: 1\nlearning_rate: 1e999",
            "run.yml:2: learning_rate must be a finite number of 32 bits, not 1e999"
        ),
        ("batch_size: 1\nlearning_rate: 1e39", "run.yml:2: learning_rate must be a finite number of 32 bits, not 1e39"),
        ("batch_size: 1\nlearning_rate: 0", "run.yml:2: learning_rate must be above 0.0, not 0"),
        ("batch_size: 1\nwarmup: 1.5", "run.yml:2: warmup must be from 0.0 to 1.0, not 1.5"),
        ("batch_size: 1\ndropout: 1", "run.yml:2: dropout must be at least 0.0 and below 1.0, not 1"),
        ("batch_size: 1\nlower_case: 3", "run.yml:2: lower_case must be true or false, not 3"),
        (
            "batch_size: 1\nkind: linar",
            "run.yml:2: kind must be one of linear, cosine, not \"linar\"; did you mean \"linear\"?"
        ),
        ("batch_size: 1\nkind: [linear]", "run.yml:2: kind must be one of linear, cosine, not a list"),
        ("batch_size: 1\nname: [a]", "run.yml:2: name must be text, not a list"),
        ("batch_size: 1\nname: ''", "run.yml:2: name must not be empty"),
        ("batch_size: 1\ntrain: cola", "run.yml:2: train must be a list, not \"cola\""),
        ("batch_size: 1\ntrain:\n- cola\n- {}", "run.yml:4: train[1] must be text, not a mapping"),
        ("batch_size: 1\nencoder: here", "run.yml:2: encoder must be a mapping of keys to values, not \"here\""),
        ("- batch_size", "run.yml:1: the file must be a mapping of keys to values, not a list"),
        (
            "seed: 1\nbatch_size: 1\nbatch_size: 2",
            "run.yml:2: key \"batch_size\" is given more than once in the same mapping, first here"
        ),
        ("? [a, b]\n: 1", "run.yml:1: a key must be a word, not a list or a mapping"),
        (
            "batch_size: 1\nname: \"open",
            "run.yml:2: not valid YAML: found unexpected end of stream (while scanning a quoted scalar)"
        ),
        (
            "batch_size: 1\n\tname: x",
            "run.yml:2: not valid YAML: found a tab character that violates indentation (while scanning a plain scalar)"
        ),
        ("batch_size: 1\nname: *x", "run.yml:2: not valid YAML: found undefined alias"),
        (
            "batch_size: 1\n---\nname: x",
            "run.yml:2: not valid YAML: but found another document (expected a single document in the stream)"
        ),
        ("batch_size: 1\nname: \u{1}", "run.yml:2: not valid YAML: control characters are not allowed"),
    ])
    func refuses(text: String, expected: String) throws {
        let error = try errorOf(text)
        #expect(error == expected)
    }

    @Test(arguments: [
        ("epoch=1", "--set epoch: unknown key \"epoch\""),
        ("batch_size=0", "--set batch_size: batch_size must be at least 1, not 0"),
        ("batch_size=many", "--set batch_size: batch_size must be a whole number, not \"many\""),
        ("encoder.form=x", "--set encoder.form: unknown key \"form\" in encoder; did you mean \"from\"?"),
        ("name.first=x", "--set name.first: name is not a mapping, it has no key \"first\""),
        ("train=[a", "--set train: not valid YAML: did not find expected ',' or ']' (while parsing a flow sequence)"),
        ("batch_size", "--set batch_size: must have the form KEY=VALUE"),
        ("=3", "--set =3: must have the form KEY=VALUE"),
        ("a..b=3", "--set a..b=3: must have the form KEY=VALUE"),
        ("batch_size=null", "run.yml:1: missing key \"batch_size\""),
        (
            "batch_size=",
            "--set batch_size=: has no value; batch_size=null stands for a key that is not given"
        ),
    ])
    func refusesOverrides(assignment: String, expected: String) throws {
        #expect(try errorOf("batch_size: 1\nname: x\n", set: assignment) == expected)
    }

    @Test func overridesReplaceAndInsert() throws {
        let value = try StrictValue.read(path: folder.write("run.yml", "batch_size: 1\nencoder: {from: x}\n"))
        #expect(try read(value.setting("batch_size=7")) == 7)
        let changed = try value.setting("encoder.from=a=b").setting("train=[x, y]").setting("san.turns=3")
        #expect(try changed.named("encoder.from").position.file == "--set encoder.from")
        #expect(try changed.named("encoder.from").string() == "a=b")
        #expect(try changed.named("train").list().map { try $0.string() } == ["x", "y"])
        let turns: Int = try changed.named("san.turns").integer()
        #expect(turns == 3)
    }

    @Test(arguments: [
        ("5e-5", 5e-5), ("5.0e-5", 5e-5), ("5E-5", 5e-5), ("+1", 1), ("-.5", -0.5), ("3.", 3), ("0.1", 0.1), ("007", 7),
    ])
    func readsNumbers(text: String, expected: Double) throws {
        let value = try StrictValue.read(path: folder.write("run.yml", "x: \(text)"))
        #expect(try value.named("x").number() == expected)
    }

    @Test func readsBooleansAsPythonDoes() throws {
        let value = try StrictValue.read(path: folder.write("run.yml", "a: True\nb: no\n"))
        #expect(try value.named("a").boolean())
        #expect(try !value.named("b").boolean())
    }

    @Test func refusesFilesThatCannotBeRead() throws {
        #expect(message(in: folder) { try StrictValue.read(path: folder.path + "/no.yml") } == "no.yml: no such file")
        try folder.write("sub/x.yml", "")
        #expect(
            message(in: folder) { try StrictValue.read(path: folder.path + "/sub") } == "sub: is a folder, not a file")
        let latin = try folder.write("latin.yml", [0x61, 0x3A, 0x20, 0xE9])
        #expect(message(in: folder) { try StrictValue.read(path: latin) } == "latin.yml: the file is not UTF-8")
        let long = try folder.write("long.yml", "a: " + String(repeating: "x", count: 1 << 20))
        #expect(message(in: folder) { try StrictValue.read(path: long) } == "long.yml: longer than 1 MiB")
    }

    @Test func refusesBombs() throws {
        var laughs = "a: &a [x, x, x, x, x, x, x, x, x]\n"
        for (inner, outer) in zip("abcdefghi", "bcdefghij") {
            laughs += "\(outer): &\(outer) [" + Array(repeating: "*\(inner)", count: 9).joined(separator: ",") + "]\n"
        }
        #expect(try errorOf(laughs + "*j : 1\n") == "run.yml:2: more than 8 aliases (*NAME)")
        #expect(try errorOf("batch_size: &a 1\nname: *a\n") == "no error")

        let deep = String(repeating: "[", count: 100_000)
        let error = try errorOf("name: " + deep)
        #expect(error == "run.yml:1: nested more than 64 deep")
        #expect(
            try errorOf("name:\n  " + String(repeating: "- ", count: 900) + "x")
                == "run.yml:2: nested more than 64 deep")
    }

    @Test func suggestsOnlyWhatIsNear() {
        #expect(suggestion(for: "epocs", among: ["epochs", "slices"]) == "; did you mean \"epochs\"?")
        #expect(suggestion(for: "EPOCHS", among: ["epochs"]) == "; did you mean \"epochs\"?")
        #expect(suggestion(for: "zzz", among: ["epochs", "san"]) == "")
        #expect(editDistance("form", "from") == 1)
        #expect(editDistance("kitten", "sitting") == 3)
        #expect(editDistance("", "abc") == 3)
    }
}

extension StrictValue {
    /// The value under a dotted path, for tests that look at one value.
    func named(_ path: String) throws -> StrictValue {
        guard case .mapping(let entries) = content, let dot = path.split(separator: ".", maxSplits: 1).first else {
            throw error("is no mapping")
        }
        let entry = try #require(entries.first { $0.key == dot })
        return dot.count == path.count ? entry.value : try entry.value.named(String(path.dropFirst(dot.count + 1)))
    }
}
