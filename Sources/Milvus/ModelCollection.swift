#if Milvus
    import Foundation
    import Retrieval
    import SwiftProtobuf

    /// The fields of a collection.
    enum Field {
        static let id = "image_id"
        static let product = "product_id"
        static let vector = "vector"
        static let terms = "terms"
        static let numbers = "numbers"
        /// Of the catalogue's log, when the row was written.
        static let position = "position"
        static let document = "document"
    }

    /// The limits that a field of Milvus has.
    enum Limit {
        static let textBytes = 65_535
        static let termBytes = 256
        static let terms = 4096
        /// Of a search's results, and of a query's rows.
        static let results = 16_384
    }

    /// A model's collection: how it is made, and whether one that is there is such a one.
    struct ModelCollection: Sendable {
        let name: String
        let dimension: Int

        /// - Parameter fingerprint: of the model; its first 16 letters and digits are in the name, all that Milvus allows in one.
        init(fingerprint: String, dimension: Int) {
            let plain = fingerprint.utf8.filter { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: false
                }
            }
            name = "stylefinder_" + String(decoding: plain.prefix(16), as: UTF8.self)
            self.dimension = dimension
        }

        var schema: WireCollectionSchema {
            .with {
                $0.name = name
                $0.description_p = "Images of a StyleFinder catalogue and their vectors of one model."
                $0.fields = [
                    field(Field.id, .int64) { $0.isPrimaryKey = true },
                    field(Field.product, .varChar, ["max_length": Limit.textBytes]),
                    field(Field.vector, .floatVector, ["dim": dimension]),
                    field(Field.terms, .array, ["max_capacity": Limit.terms, "max_length": Limit.termBytes]) {
                        $0.elementType = .varChar
                    },
                    field(Field.numbers, .json),
                    field(Field.position, .int64),
                    field(Field.document, .json),
                ]
            }
        }

        private func field(
            _ name: String, _ type: WireDataType, _ parameters: KeyValuePairs<String, Int> = [:],
            _ more: (inout WireFieldSchema) -> Void = { _ in }
        ) -> WireFieldSchema {
            .with {
                $0.name = name
                $0.dataType = type
                $0.typeParams = parameters.map { WireKeyValuePair($0.key, "\($0.value)") }
                more(&$0)
            }
        }

        /// What a collection that is there has otherwise than ours, in words; nil for one like ours.
        func difference(from found: WireCollectionSchema) -> (found: String, expected: String)? {
            for wanted in schema.fields {
                guard let there = found.fields.first(where: { $0.name == wanted.name }) else {
                    return ("it has no field \(wanted.name)", "one of type \(wanted.dataType)")
                }
                guard there.dataType == wanted.dataType, there.isPrimaryKey == wanted.isPrimaryKey else {
                    return ("its field \(wanted.name) is of type \(there.dataType)", "\(wanted.dataType)")
                }
                guard wanted.dataType == .floatVector else { continue }
                let size = there.typeParams.first { $0.key == "dim" }?.value ?? "no"
                if size != "\(dimension)" { return ("its vectors have \(size) dimensions", "\(dimension)") }
            }
            return nil
        }

        /// The indexes to make, by field.
        /// - Parameter isLite: milvus-lite has no scalar index of arrays, and compares values anyway; its graph loses most of what a filter admits few of, so
        ///   it compares vectors, too.
        func indexes(isLite: Bool) -> [(field: String, parameters: [WireKeyValuePair])] {
            let metric = WireKeyValuePair("metric_type", Self.metric)
            if isLite {
                return [(Field.vector, [WireKeyValuePair("index_type", "FLAT"), metric, WireKeyValuePair("params", "{}")])]
            }
            let graph = [
                WireKeyValuePair("index_type", "HNSW"), metric, WireKeyValuePair("params", #"{"M": 16, "efConstruction": 200}"#),
            ]
            let inverted = [WireKeyValuePair("index_type", "INVERTED")]
            return [(Field.vector, graph), (Field.terms, inverted), (Field.product, inverted), (Field.position, inverted)]
        }

        /// Of unit vectors the inner product is the cosine; with this one Milvus takes no part in deciding whether they are of unit length.
        static let metric = "COSINE"
    }

    extension WireKeyValuePair {
        init(_ key: String, _ value: String) {
            self.init()
            (self.key, self.value) = (key, value)
        }
    }

    /// What is kept in a collection's properties: of what it was filled, and how far.
    struct FillState: Codable, Sendable, Equatable {
        /// A pass over images in ascending order that has not come to its end.
        struct Pass: Codable, Sendable, Equatable {
            /// The last image that was written or taken out.
            var last: Int64
            /// Where the log stood when the pass began: what changed later comes after it.
            var position: Int64
            var mark: String?
            /// Whether the collection was empty when the pass began, so that there is nothing to take out.
            var isFirst: Bool
        }

        static let property = "stylefinder.state"
        static let version = 1

        var version = Self.version
        var fingerprint: String
        var model: String
        /// The identity of the catalogue.
        var catalog: String
        /// Up to here the catalogue's changes are in the collection; nil before the first pass over all of it has ended.
        var position: Int64?
        var mark: String?
        var pass: Pass?
        /// By key, the most numbers that any row has.
        var numbers: [String: Int] = [:]
        /// No row has a greater id.
        var greatest: Int64 = 0
        /// Of the texts in the documents.
        var language: String?
    }
#endif
