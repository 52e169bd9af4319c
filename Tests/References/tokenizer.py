"""Reference values for the tokenizer, from Hugging Face's BertTokenizerFast.

Usage: python tokenizer.py VOCABULARY_FOLDER OUTPUT_FOLDER [SHARED_DATA]

VOCABULARY_FOLDER holds the vocab.txt of all-MiniLM-L6-v2 (uncased BERT's), SHARED_DATA real corpora. Writes

  tokenizer-small-vocabulary.txt  a vocabulary of some 2,000 entries, made from the text below
  tokenizer-small.jsonl           texts, pairs and their ids under that vocabulary
  tokenizer-minilm.jsonl          others under MiniLM's
  tokenizer-scalars.json          SHA-256 of the words that every Unicode scalar makes between two letters
  tokenizer-corpora.json          a digest for each real file (only with SHARED_DATA)

A line of the .jsonl files is {"o": options, "t": [text] or [first, second], "m": maximum length or 0, "i": ids}, where
options is a set of the letters l (lower case), s (strip accents), c (isolate ideographs).
A digest is the SHA-256 of all ids as little-endian int32 with -1 after each text, and the number of texts.
"""

import hashlib
import json
import random
import sys
import unicodedata
from pathlib import Path

import numpy
from tokenizers import Tokenizer
from transformers import BertTokenizerFast

SEED = 20240229
OPTIONS = ["lsc", "lc", "sc", "c", "ls", ""]
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]

PROSE = """
The old harbour master kept his ledgers in a tin box, and nobody but he knew which ships had paid. On the first
morning of spring a letter came: it said that the northern lighthouse would be closed, the keeper dismissed, and his
garden sold. "They can't do that," he muttered, folding the paper twice. "Who'll warn the fishermen when the fog comes
down?" His daughter, who'd been mending nets since daybreak, looked up and laughed; she had heard such threats before.
What she didn't know was that the council's decision had already been printed, signed and nailed to the door of the
town hall. By noon the whole village was talking. Some argued that the light was useless now that engines drove the
boats; others remembered the winter of the great storm, when seventeen men came home because one lamp would not go
out. The baker gave bread to everybody who would sign a petition. The schoolmistress wrote it in her clearest
handwriting, correcting the doctor's spelling twice. Numbers were counted: 214 names, 3 crosses, one drawing of a
whale. It isn't possible to measure courage in miles or pounds, but if it were, half an ounce would have been enough
to carry them to the capital. Meanwhile the keeper himself, an unremarkable person with remarkably large hands,
polished the lenses as he'd always done. He thought about mathematics, mostly: how many turns of the clockwork made a
year, how far a beam travels before darkness swallows it. Interestingly, unbelievably, the answer was always the same
number, and it pleased him. When the messengers returned they brought neither money nor promises. They carried a
telegram of nine words, misspelled, which the postmaster read aloud three times: the lighthouse stays, the keeper
stays, send more whale drawings at once. Afterwards people disagreed about what had happened. A cooperative of
oystermen claimed the credit; so did the bishop's nephew. Researchers comparing tide-tables, rainfall measurements and
unemployment figures found no explanation whatever.
"""

SNIPPETS = [
    "", " ", "\t\n\r", "[SEP]", "a[SEP]b", "[MASK]ing [mask] [Mask]", "[CLS][SEP][PAD][UNK][MASK]", "[[SEP]]", "[SEP",
    "[MA\0SK]", "e[SEP]\u0301", "[ SEP ]", "\uff3bSEP\uff3d", "I\u0307stanbul \u0130stanbul \u0131", "Straße STRASSE ẞ",
    "한국어 각 \u1100\u1161\u11a8", "日本語テキスト が か\u3099", "中文字符mixed文", "\u2a700 𠀀 𫠠 𫤠 \U0002f800 豈",
    "مرحبا بالعالم أ إ", "שלום שִׁ", "नमस्ते क़ ड़", "ก็ ไทย", "👩\u200d👩\u200d👧 🇩🇪 👍🏽", "\ufffd a\ufffdb", "a\0b",
    "a\u00adb\u200bc\u2060d\ufeff", "x\u00a0y\u2003z\u3000w\u2028v\u205fu\u1680t\u202fs\u0085r",
    "≠ a≠b \u037e \u0387 \u1fef",
    "naïve café na\u00efve cafe\u0301", "Ǆ ǅ ǆ ŉ ﬁ Ⅷ Ω K Å",
    "\U0001d15e\U0001d16d\u302e \U0001d15e\u302e\U0001d165 \U0001d15f\u0301\u302e",
    "a\u302e\U0001d165\u0316\U0001d16d b\U0001d16d\u0007\U0001d165 b\U0001d16d\u0941\U0001d165 1B\u1b44\u302e\u1baa",
    "\u302f\u302e[SEP]\U0001d165", "é\u302e\u1bf2 \u08d4\u1715\u1734", "ΑΣ ΣΑΣ Σ ς", "##ing #ing ## #",
    "...!?!--- $5.00 +1 ^_^ `~|",
    "\ue000x\U000f0000y\U0010ffff", "\U000e0041\U000e0100a", "\ud7ff\ue000\uffff\U00010000",
    "a" * 99, "a" * 100, "a" * 101,
    "é" * 100, "é" * 101, "각" * 33, "각" * 34, "中" * 101, "x" * 50 + "\u200d" * 30 + "y" * 50, "." * 120, "😀" * 101,
]

# Where scalars are drawn from: scripts, marks, symbols, spaces, format characters, everything.
RANGES = [
    (0x20, 0x7F), (0x20, 0x7F), (0x00, 0x20), (0x80, 0x250), (0x300, 0x370), (0x370, 0x530), (0x590, 0x700),
    (0x8A0, 0xE00), (0x1100, 0x1200), (0x1AB0, 0x1B00), (0x1DC0, 0x2070), (0x2070, 0x2C00), (0x3000, 0x3100),
    (0x4E00, 0x4E40), (0xAC00, 0xD7A4), (0xD7F0, 0xD800), (0xE000, 0xE010), (0xF900, 0xFB50), (0xFE00, 0x10000),
    (0x11000, 0x11A00), (0x1D150, 0x1D200), (0x1E000, 0x1EA00), (0x1F300, 0x1FAFF), (0x2F800, 0x2FA20),
    (0xE0000, 0xE0200), (0x10000, 0x110000),
]


def prose(rng: random.Random) -> str:
    """A stretch of prose, sometimes shouted, accented or full of slips."""
    words = PROSE.split()
    start = rng.randrange(len(words) - 24)
    words = words[start:start + rng.randrange(3, 24)]
    if rng.random() < 0.3:
        rng.shuffle(words)
    text = " ".join(words)
    if rng.random() < 0.2:
        text = text.upper() if rng.random() < 0.5 else text.title()
    if rng.random() < 0.3:
        text = "".join(c + rng.choice("\u0301\u0308\u0327") if c.isalpha() and rng.random() < 0.1 else c for c in text)
        text = unicodedata.normalize("NFC", text) if rng.random() < 0.5 else text
    if rng.random() < 0.2:
        place = rng.randrange(len(text))
        text = text[:place] + rng.choice(SPECIAL) + text[place:]
    return text


def hostile(rng: random.Random) -> str:
    """Scalars from a few ranges, between pieces of prose, long words, special tokens and combining runs."""
    def scalar(low: int, high: int) -> str:
        value = rng.randrange(low, high)
        return chr(value) if not 0xD800 <= value < 0xE000 else "\ufffd"

    text = ""
    for _ in range(rng.randrange(1, 7)):
        kind = rng.random()
        if kind < 0.7:
            low, high = rng.choice(RANGES)
            text += "".join(scalar(low, high) for _ in range(rng.randrange(1, 9)))
        elif kind < 0.8:
            text += rng.choice(SNIPPETS[:41])
        elif kind < 0.85:
            text += rng.choice(SPECIAL)
        elif kind < 0.9:
            marks = "\u0301\u0316\u302e\u302f\U0001d165\U0001d16d\U0001d15e\u1bf2\u08d4\u1abf\u0941\u200d\0é각"
            text += "".join(rng.choice(marks) for _ in range(rng.randrange(1, 9)))
        elif kind < 0.93:
            text += rng.choice("aeé가中") * rng.choice([33, 34, 49, 50, 99, 100, 101])
        else:
            text += rng.choice(PROSE.split())
        if rng.random() < 0.4:
            text += rng.choice([" ", "\t", "\u00a0", "\u3000", "-", "'"])
    return text



def tokenizer(vocabulary: dict, options: str) -> Tokenizer:
    backend = BertTokenizerFast(
        vocab=vocabulary, do_lower_case="l" in options, strip_accents="s" in options,
        tokenize_chinese_chars="c" in options).backend_tokenizer
    backend.no_padding()
    backend.no_truncation()
    return backend


def read_vocabulary(path: Path) -> dict:
    return {token: index for index, token in enumerate(path.read_text(encoding="utf-8").rstrip("\n").split("\n"))}


def small_vocabulary(rng: random.Random) -> list:
    """Whole words, beginnings and endings of the prose, letters of many scripts."""
    words = sorted({word.strip(".,;:!?'\"()-") for word in PROSE.lower().split()} - {""})
    pieces = set(words[::2])
    for word in words:
        if len(word) > 3:
            cut = rng.randrange(1, len(word))
            pieces |= {word[:cut], "##" + word[cut:]}
    for code in [*range(0x21, 0x7F), *range(0xA1, 0x180), *range(0x391, 0x3CA), *range(0x410, 0x450),
                 *range(0x5D0, 0x5EB), *range(0x621, 0x64B), *range(0x1100, 0x1113), *range(0x1161, 0x1176),
                 *range(0x11A8, 0x11C3), *range(0x3041, 0x3060), *range(0x4E00, 0x4E30), *range(0x1F600, 0x1F610)]:
        if code != 0xAD:
            pieces |= {chr(code), "##" + chr(code)}
    pieces |= {"\u0307", "##\u0307", "##\u0301", "##\u302e", "##\U0001d165", "\u8c48", "##\u200d"}
    return SPECIAL + sorted(pieces - set(SPECIAL))


def encode(backend: Tokenizer, texts: list, maximum: int) -> list:
    if maximum:
        backend.enable_truncation(maximum, strategy="longest_first")
    else:
        backend.no_truncation()
    encoding = backend.encode(*texts)
    separator = encoding.tokens.index("[SEP]")
    if len(texts) == 1 or "[SEP]" not in "".join(texts):  # the segments follow from the ids
        second = 0 if len(texts) == 1 else len(encoding.ids) - separator - 1
        assert encoding.type_ids == [0] * (len(encoding.ids) - second) + [1] * second
    return encoding.ids


def write_cases(path: Path, vocabulary: dict, rng: random.Random, count: int) -> None:
    backends = {options: tokenizer(vocabulary, options) for options in OPTIONS}
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for number in range(count):
            kind = number % 10
            text = SNIPPETS[number // 10] if kind == 9 and number // 10 < len(SNIPPETS) else (
                prose(rng) if kind < 4 else hostile(rng))
            texts = [text]
            maximum = 0
            if kind in (3, 7, 8):
                texts.append(prose(rng) if kind == 3 else hostile(rng))
                maximum = rng.choice([0, 3, 4, 5, 6, 7, 8, 9, 12, 13, 16, 17, 24, 31, 40])
            elif kind in (2, 6):
                maximum = rng.choice([0, 2, 3, 5, 8, 13, 21])
            options = "lsc" if kind < 6 else rng.choice(OPTIONS)
            ids = encode(backends[options], texts, maximum)
            line = {"o": options, "t": texts, "m": maximum, "i": ids}
            file.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")


def scalars() -> dict:
    """The words of a<scalar>b for each scalar of the planes in use, hashed by blocks of 4096."""
    firsts = [*range(0, 0x33000, 0x1000), 0xE0000, 0xF0000, 0xFF000, 0x10F000]
    result = {}
    for options in ["lsc", "lc", "sc", ""]:
        backend = tokenizer({token: index for index, token in enumerate(SPECIAL)}, options)
        result[options] = {}
        for first in firsts:
            lines = []
            for value in range(first, first + 0x1000):
                if not 0xD800 <= value < 0xE000:
                    normal = backend.normalizer.normalize_str(f"a{chr(value)}b")
                    lines.append(" ".join(word for word, _ in backend.pre_tokenizer.pre_tokenize_str(normal)) + "\n")
            result[options][f"{first:X}"] = hashlib.sha256("".join(lines).encode("utf-8")).hexdigest()
    return result


def corpora(shared: Path, vocabulary: dict) -> dict:
    """Every line of each file is one text: ids need no knowledge of columns."""
    backend = tokenizer(vocabulary, "lsc")
    files = ["glue/CoLA/dev.tsv", "glue/RTE/dev.tsv", "glue/MRPC/dev.tsv", "glue/STS-B/dev.tsv", "glue/QNLI/dev.tsv",
             "ranking/squadrank_dev.tsv", "squad/dev-v2.0.json", "books/moby-dick.txt",
             "books/pride-and-prejudice.txt", "books/sherlock-holmes.txt"]
    result = {}
    for name in files:
        text = (shared / name).read_bytes().decode("utf-8")
        encodings = backend.encode_batch_fast(text.split("\n"), add_special_tokens=False)
        ids = numpy.array([number for encoding in encodings for number in [*encoding.ids, -1]], dtype="<i4")
        result[name] = {"count": len(encodings), "sha256": hashlib.sha256(ids.tobytes()).hexdigest()}
    return result


def write_json(path: Path, value) -> None:
    path.write_text(json.dumps(value, indent=1, sort_keys=True) + "\n")


def main() -> None:
    minilm, output = read_vocabulary(Path(sys.argv[1]) / "vocab.txt"), Path(sys.argv[2])
    small = small_vocabulary(random.Random(SEED))
    (output / "tokenizer-small-vocabulary.txt").write_text("\n".join(small) + "\n", encoding="utf-8")
    small = {token: index for index, token in enumerate(small)}
    write_cases(output / "tokenizer-small.jsonl", small, random.Random(SEED + 1), 3500)
    write_cases(output / "tokenizer-minilm.jsonl", minilm, random.Random(SEED + 2), 3000)
    write_json(output / "tokenizer-scalars.json", scalars())
    if len(sys.argv) > 3:
        write_json(output / "tokenizer-corpora.json", corpora(Path(sys.argv[3]), minilm))


if __name__ == "__main__":
    main()
