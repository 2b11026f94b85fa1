#if Milvus
    import Retrieval
    import Testing

    @testable import Milvus

    @Suite("Expressions for Milvus")
    struct ExpressionTests {
        @Test("a text stays between its quotes, whatever is in it")
        func text() {
            #expect(Expression.text("plain grün") == "\"plain grün\"")
            #expect(Expression.text("a\" or image_id > 0 or \"") == #""a\" or image_id > 0 or \"""#)
            #expect(Expression.text("back\\slash\n\t\r'") == #""back\\slash\n\t\r'""#)
        }

        @Test("a key is letters and digits, and no two keys become one")
        func keys() {
            #expect(Expression.key("price") == "price")
            #expect(Expression.key("in_stock") == "in_5fstock")
            #expect(Expression.key("a\"]") == "a_22_5d")
            #expect(Set(["ä", "a", "a_", "_a", "_5f", "_", "A"].map(Expression.key)).count == 7)
        }

        @Test("clauses have to hold together, conditions one by one; a range looks at every number that a row may have")
        func filters() {
            let filter = RowFilter(clauses: [
                .init(terms: ["color=red", "color=blue"]), .init(ranges: [.init(key: "size", from: 36, to: 40)]),
            ])
            #expect(
                Expression.of(filter, counts: ["size": 2])
                    == #"(array_contains_any(terms, ["color=red", "color=blue"])) and ((numbers["size"][0] >= 36.0 and numbers["size"][0] <= 40.0) or (numbers["size"][1] >= 36.0 and numbers["size"][1] <= 40.0))"#
            )
            #expect(Expression.of(RowFilter(), counts: [:]) == "")
            // No row has a number under this key, or nothing is asked for: nothing is found.
            #expect(
                Expression.of(RowFilter(clauses: [.init(ranges: [.init(key: "size", from: 1, to: nil)])]), counts: [:])
                    == "(image_id < 0)")
            #expect(Expression.of(RowFilter(clauses: [.init()]), counts: [:]) == "(image_id < 0)")
        }
    }

    @Suite("Addresses of a Milvus")
    struct AddressTests {
        @Test("host, port, database and encryption are read")
        func good() throws {
            let plain = try MilvusServer("http://localhost")
            #expect(plain.host == "localhost" && plain.port == 19530 && !plain.isEncrypted && plain.database == "")
            let full = try MilvusServer("HTTPS://milvus.example:8443/shop_1/", token: " root:Milvus\n")
            #expect(full.host == "milvus.example" && full.port == 8443 && full.isEncrypted && full.database == "shop_1")
            #expect(full.token == "root:Milvus" && full.name == "milvus.example:8443/shop_1")
            #expect(try MilvusServer("https://milvus.example").port == 443)
            #expect(try MilvusServer("http://[::1]:19530").host == "::1")
        }

        @Test(
            "what is no address is refused, and a user in it is not repeated",
            arguments: [
                "", "localhost", "localhost:19530", "ftp://host", "http://", "http://host/a/b", "http://host/a-b",
                "http://host?x=1", "http://root:secret@host",
            ])
        func bad(address: String) {
            let error = #expect(throws: MilvusError.self) { try MilvusServer(address) }
            #expect(error?.description.contains("secret") == false)
            #expect(error?.description.contains("http://localhost:19530") == true)
        }

        @Test("a token is one line", arguments: ["", " \n", "a\nb"])
        func token(text: String) {
            #expect(throws: MilvusError.self) { try MilvusServer("http://host", token: text) }
        }
    }
#endif
