"""vocabulary.py values BOOK.txt: makes vocabulary.json, the SHA-256 sums of the vocabularies of 6,000 pieces, a piece in each line, that Hugging Face's
BertWordPieceTokenizer learns from a book.

Its trainer chooses among equally frequent pairs by their pieces' numbers, and characters get theirs in the order of a hash table, another one in each process. Characters that it
is given as special tokens have the numbers of their order: here they are sorted, first those that begin a word or stand alone, then those that go on with one.
Prints how many of the pieces it also learns when it numbers characters itself."""
import hashlib
import json
import sys

from tokenizers import BertWordPieceTokenizer

SIZE = 6000
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
folder, book = sys.argv[1:]


def learn(lowercase, first):
    tokenizer = BertWordPieceTokenizer(lowercase=lowercase)
    tokenizer.train([book], vocab_size=SIZE, show_progress=False, special_tokens=first)
    return sorted(tokenizer.get_vocab(), key=tokenizer.get_vocab().get)


def characters(lowercase):
    tokenizer = BertWordPieceTokenizer(lowercase=lowercase)
    with open(book, encoding="utf-8") as file:
        text = tokenizer.normalizer.normalize_str(file.read())
    words = {word for word, _ in tokenizer._tokenizer.pre_tokenizer.pre_tokenize_str(text)}
    return sorted(set("".join(words))) + sorted({"##" + character for word in words for character in word[1:]})


sums = {}
for name, lowercase in [("uncased", True), ("cased", False)]:
    pieces = learn(lowercase, SPECIAL + characters(lowercase))
    alone = learn(lowercase, SPECIAL)
    print(f"{name}: {len(pieces)} pieces, {len(set(pieces) & set(alone))} of which it learns without help")
    sums[name] = hashlib.sha256("".join(piece + "\n" for piece in pieces).encode()).hexdigest()
with open(f"{folder}/vocabulary.json", "w") as file:
    json.dump(sums, file, indent=1)
    file.write("\n")
