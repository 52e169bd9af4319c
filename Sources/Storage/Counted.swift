/// A number with its noun, in the plural unless it is one: "1 rank", "3 ranks".
package func counted(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }
