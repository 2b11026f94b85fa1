import Testing

@testable import API

@Suite("Multipart forms")
struct MultipartFormTests {
    private func parts(_ text: String, boundary: String = "b") throws -> [MultipartForm.Part] {
        try MultipartForm(Array(text.utf8), boundary: boundary).parts
    }

    @Test("fields come in order with their names, file names and bytes")
    func fields() throws {
        let parts = try parts(
            "preamble\r\n--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\none\r\n"
                + "--b \t\r\ncontent-disposition: form-data; filename=\"x \\\"y\\\".png\"; name=\"f\"\r\nContent-Type: image/png\r\n\r\n\r\n--not\r\n\r\n"
                + "--b\r\nContent-Disposition: form-data; name=plain\r\n\r\n\r\n--b--\r\nepilogue")
        #expect(parts.map(\.name) == ["a", "f", "plain"])
        #expect(parts.map(\.text) == ["one", "\r\n--not\r\n", ""])
        #expect(parts[1].fileName == "x \"y\".png")
    }

    @Test(
        "what is no form is refused",
        arguments: [
            "", "--b", "--b\r\n", "--bx\r\n", "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\none",
            "--b\r\nContent-Disposition: form-data\r\n\r\none\r\n--b--", "--b\r\n\r\none\r\n--b--",
            "--b\r\nContent-Disposition: attachment; name=\"a\"\r\n\r\none\r\n--b--",
        ])
    func malformed(_ text: String) {
        #expect(throws: MultipartForm.Malformed.self) { try parts(text) }
    }

    @Test("thousands of parts are refused, and so is a header without an end")
    func attacks() {
        let many = String(repeating: "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n\r\n", count: 65) + "--b--"
        #expect(throws: MultipartForm.Malformed.self) { try parts(many) }
        let long = "--b\r\nContent-Disposition: form-data; name=\"\(String(repeating: "x", count: 9000))\"\r\n\r\n\r\n--b--"
        #expect(throws: MultipartForm.Malformed.self) { try parts(long) }
    }

    @Test(
        "the boundary is read from the content type",
        arguments: [
            ("multipart/form-data; boundary=abc", "abc"), ("Multipart/Form-Data;boundary=\"a b\"", "a b"),
            ("multipart/form-data; charset=utf-8; boundary=x", "x"), ("multipart/form-data", nil),
            ("multipart/mixed; boundary=x", nil),
            ("application/json", nil), ("multipart/form-data; boundary=", nil),
        ] as [(String, String?)])
    func boundary(_ type: String, _ expected: String?) {
        #expect(MultipartForm.boundary(in: type) == expected)
    }
}
