"""Makes philox.json: Philox 4x32-10 outputs (Salmon et al. 2011) for given counters and keys, after checking the published answers."""
import json
import os
import sys

WORD = 0xFFFFFFFF


def philox(counter, key):
    """Ten rounds: two 32x32-bit products, their halves crossed with the other words and the key; the key grows by Weyl constants."""
    (c0, c1, c2, c3), (k0, k1) = counter, key
    for _ in range(10):
        a, b = 0xD2511F53 * c0, 0xCD9E8D57 * c2
        c0, c1, c2, c3 = (b >> 32) ^ c1 ^ k0, b & WORD, (a >> 32) ^ c3 ^ k1, a & WORD
        k0, k1 = (k0 + 0x9E3779B9) & WORD, (k1 + 0xBB67AE85) & WORD
    return [c0, c1, c2, c3]


if __name__ == "__main__":
    published = [
        ([0] * 4, [0] * 2, [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
        ([WORD] * 4, [WORD] * 2, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
        ([0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344], [0xA4093822, 0x299F31D0], [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1])]
    for counter, key, output in published:
        assert philox(counter, key) == output

    more = [([i, 0, 0, 0], [2018, 0]) for i in range(4)] + [([0, 0, 0, 1 << i], [1, 1 << i]) for i in range(0, 32, 5)]
    cases = [dict(counter=counter, key=key, output=philox(counter, key))
             for counter, key in [(counter, key) for counter, key, _ in published] + more]
    folder = sys.argv[1]
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "philox.json"), "w") as file:
        json.dump(cases, file, indent=1)
        file.write("\n")
