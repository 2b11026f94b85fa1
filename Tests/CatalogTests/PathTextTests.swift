import Foundation
import Testing

@testable import Catalog

@Suite("The parts of a path's text")
struct PathTextTests {
    @Test(
        "are those of the name that slashes may follow",
        arguments: [
            // path, folder, ending, without ending
            ("/a/b.jpg", "/a", "jpg", "/a/b"),
            ("a/b.tar.gz//", "a", "gz", "a/b.tar"),
            ("b.JPG", "", "JPG", "b"),
            ("/b", "/", "", "/b"),
            ("//a///b.c///", "//a", "c", "//a///b"),
            ("a.b/c", "a.b", "", "a.b/c"),
            ("a/.hidden", "a", "", "a/.hidden"),
            ("a.", "", "", "a"),
            ("a//", "", "", "a"),
            ("/a//", "/", "", "/a"),
            ("///", "/", "", ""),
            ("/", "/", "", ""),
            ("", "", "", ""),
            ("Rö\u{301}cke/u\u{308}.jpeg", "Rö\u{301}cke", "jpeg", "Rö\u{301}cke/u\u{308}"),
            ("a/\u{301}.b/\u{301}c", "a/\u{301}.b", "", "a/\u{301}.b/\u{301}c"),
        ])
    func parts(_ path: String, _ folder: String, _ ending: String, _ name: String) {
        #expect(ExactText(path.folderOfPath) == ExactText(folder))
        #expect(path.pathExtension == ending)
        #expect(ExactText(path.withoutPathExtension) == ExactText(name))
    }

    @Test("no name from outside ends the process, whatever slashes it has")
    func slashes() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            let text = String((0..<Int.random(in: 0...8, using: &random)).map { _ in "//.a ,é".randomElement(using: &random)! })
            let parts = text.split(separator: "/", omittingEmptySubsequences: true)
            let last = parts.last.map(String.init) ?? ""
            #expect(text.folderOfPath.isEmpty == (!text.hasPrefix("/") && parts.count < 2), "\(text)")
            let ending = last.dropFirst().split(separator: ".", omittingEmptySubsequences: false).dropFirst().last ?? ""
            #expect(text.pathExtension == ending, "\(text)")
            #expect(!ManifestReader.isNamedAsPicture(text))
        }
    }
}
