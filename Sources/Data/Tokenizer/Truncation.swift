/// How many tokens of each text of a pair remain when both together may have `maximum`: the longer text is cut first.
///
/// As Hugging Face computes `longest_first`: if even the shorter text exceeds its half, both become halves, and of an
/// odd maximum the longer text gets the larger half, the second text if both are equally long.
func truncatedCounts(first: Int, second: Int, maximum: Int) -> (first: Int, second: Int) {
    if first + second <= maximum { return (first, second) }
    var (shorter, longer) = (min(first, second), 0)
    longer = max(shorter, maximum - shorter)
    if shorter + longer > maximum {
        shorter = maximum / 2
        longer = maximum - shorter
    }
    return first > second ? (longer, shorter) : (shorter, longer)
}
