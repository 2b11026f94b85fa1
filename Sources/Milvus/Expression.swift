#if Milvus
    import Retrieval

    /// Boolean expressions in Milvus's language.
    enum Expression {
        /// Nothing that a user writes gets into one but between the quotes of a text.
        static func text(_ value: String) -> String {
            var result = "\""
            for scalar in value.unicodeScalars {
                switch scalar {
                case "\"": result += "\\\""
                case "\\": result += "\\\\"
                case "\n": result += "\\n"
                case "\r": result += "\\r"
                case "\t": result += "\\t"
                default: result.unicodeScalars.append(scalar)
                }
            }
            return result + "\""
        }

        /// Letters and digits stay; everything else would mean something in a path, or be read differently by different versions.
        static func key(_ key: String) -> String {
            var result = ""
            for byte in key.utf8 {
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    result.unicodeScalars.append(UnicodeScalar(byte))
                default: result += "_" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
                }
            }
            return result
        }

        /// Swift's shortest decimal that reads as the same number; always with a point or an exponent, so that it is none of Milvus's integers.
        static func number(_ value: Double) -> String { "\(value)" }

        static func ids(_ ids: some Sequence<Int64>) -> String {
            "\(Field.id) in [\(ids.map(String.init).joined(separator: ","))]"
        }

        static let nothing = "\(Field.id) < 0"

        /// What a filter admits; empty for everything.
        /// - Parameter counts: by key, the most numbers that any row has: a range looks at so many places.
        static func of(_ filter: RowFilter, counts: [String: Int]) -> String {
            filter.clauses.map { "(\(of($0, counts)))" }.joined(separator: " and ")
        }

        static func of(_ rows: DescribedRows, counts: [String: Int]) -> String {
            let admitted = of(rows.filter, counts: counts)
            if rows.without.isEmpty { return admitted }
            let others = "\(Field.id) not in [\(rows.without.map(String.init).joined(separator: ","))]"
            return admitted.isEmpty ? others : "\(admitted) and \(others)"
        }

        private static func of(_ clause: RowFilter.Clause, _ counts: [String: Int]) -> String {
            var parts: [String] = []
            if !clause.terms.isEmpty {
                parts.append("array_contains_any(\(Field.terms), [\(clause.terms.map(text).joined(separator: ", "))])")
            }
            for range in clause.ranges {
                for place in 0..<counts[range.key, default: 0] {
                    let path = "\(Field.numbers)[\"\(key(range.key))\"][\(place)]"
                    let bounds = [range.from.map { "\(path) >= \(number($0))" }, range.to.map { "\(path) <= \(number($0))" }]
                    let given = bounds.compactMap(\.self)
                    // Between no bounds lies every number.
                    parts.append(given.isEmpty ? "exists \(path)" : "(\(given.joined(separator: " and ")))")
                }
            }
            return parts.isEmpty ? nothing : parts.joined(separator: " or ")
        }
    }
#endif
