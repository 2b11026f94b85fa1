#if Milvus
    import Foundation
    import Retrieval
    import SwiftProtobuf

    /// Rows as Milvus takes them: column by column.
    extension WireFieldData {
        /// - Throws: `.row` where a row does not fit.
        static func columns(of rows: [IndexRow], dimension: Int, position: Int64) throws(MilvusError) -> [WireFieldData] {
            for row in rows { try check(row, dimension: dimension) }
            var vectors = WireFloatArray()
            vectors.data.reserveCapacity(rows.count * dimension)
            for row in rows { vectors.data += row.vector }
            let terms = rows.map { row in WireScalarField.with { $0.stringData.data = row.terms } }
            return [
                column(Field.id, .int64) { $0.longData.data = rows.map(\.id) },
                column(Field.product, .varChar) { $0.stringData.data = rows.map(\.product) },
                .with {
                    $0.fieldName = Field.vector
                    $0.type = .floatVector
                    $0.vectors.dim = Int64(dimension)
                    $0.vectors.floatVector = vectors
                },
                column(Field.terms, .array) {
                    $0.arrayData.data = terms
                    $0.arrayData.elementType = .varChar
                },
                column(Field.numbers, .json) { $0.jsonData.data = rows.map { Data(numbers($0.numbers).utf8) } },
                column(Field.position, .int64) { $0.longData.data = [Int64](repeating: position, count: rows.count) },
                column(Field.document, .json) { $0.jsonData.data = rows.map { Data($0.document) } },
            ]
        }

        private static func column(
            _ name: String, _ type: WireDataType, _ fill: (inout WireScalarField) -> Void
        ) -> WireFieldData {
            .with {
                $0.fieldName = name
                $0.type = type
                fill(&$0.scalars)
            }
        }

        private static func check(_ row: IndexRow, dimension: Int) throws(MilvusError) {
            guard row.vector.count == dimension else { throw .dimension(found: row.vector.count, expected: dimension) }
            guard row.product.utf8.count <= Limit.textBytes else {
                throw .row(
                    id: row.id,
                    reason: "its product's id has \(row.product.utf8.count) bytes, expected at most \(Limit.textBytes)")
            }
            guard row.terms.count <= Limit.terms else {
                throw .row(id: row.id, reason: "it has \(row.terms.count) values to filter by, expected at most \(Limit.terms)")
            }
            if let long = row.terms.first(where: { $0.utf8.count > Limit.termBytes }) {
                throw .row(
                    id: row.id, reason: "a value to filter by has \(long.utf8.count) bytes, expected at most \(Limit.termBytes)")
            }
            guard row.document.count <= Limit.textBytes + 1 else {
                throw .row(
                    id: row.id,
                    reason: "what is shown of it takes \(row.document.count) bytes, expected at most \(Limit.textBytes + 1)")
            }
        }

        /// A JSON object of lists, in the order of keys.
        private static func numbers(_ numbers: [String: [Double]]) -> String {
            let pairs = numbers.sorted { $0.key < $1.key }.map { key, values in
                "\"\(Expression.key(key))\":[\(values.map(Expression.number).joined(separator: ","))]"
            }
            return "{\(pairs.joined(separator: ","))}"
        }
    }

    /// Columns as they come back.
    extension [WireFieldData] {
        private func scalars(_ name: String) -> WireScalarField? {
            guard case .scalars(let scalars) = first(where: { $0.fieldName == name })?.field else { return nil }
            return scalars
        }

        /// Each is nil where the answer has no such column, or one of another type.
        func numbers(_ name: String) -> [Int64]? {
            if case .longData(let column) = scalars(name)?.data { column.data } else { nil }
        }

        func texts(_ name: String) -> [String]? {
            if case .stringData(let column) = scalars(name)?.data { column.data } else { nil }
        }

        func documents(_ name: String) -> [[UInt8]]? {
            if case .jsonData(let column) = scalars(name)?.data { column.data.map { [UInt8]($0) } } else { nil }
        }

        func vectors(_ name: String) -> [Float]? {
            guard case .vectors(let vectors) = first(where: { $0.fieldName == name })?.field,
                case .floatVector(let column) = vectors.data
            else { return nil }
            return column.data
        }
    }
#endif
