// One input of libFuzzer for one of the readers of what people write about a catalogue; tools/fuzz/run.sh compiles it together with the
// readers' own sources.
//
// The variable TARGET says which: `csv`, `jsonl`, `catalog` (catalog.json) or `filter`. A crash, a hang or memory beyond libFuzzer's limits is a
// finding; an error of ours is not, as long as it is a sentence.

import Foundation
import Glibc

private let target = getenv("TARGET").map { String(cString: $0) } ?? ""

private func check(_ sentence: String) {
    if !sentence.hasSuffix(".") || sentence.isEmpty { fatalError("no sentence: \(sentence)") }
}

private func read(_ bytes: [UInt8], _ format: ManifestFormat) {
    var manifest = ManifestReader(source: "/dev/shm/stylefinder-fuzz/manifest", format: format)
    guard let text = TextEncoding.utf8(bytes) else { return }
    do throws(CatalogError) {
        switch format {
        case .csv: try manifest.readCSV(text.bytes)
        case .jsonLines: manifest.readJSONLines(text.bytes)
        case .catalogJSON: try manifest.readCatalogJSON(text.bytes)
        case .folder, .inShop: break
        }
    } catch {
        check(error.description)
    }
    for problem in manifest.problems + manifest.remarks { check(problem.description) }
    for row in manifest.rows {
        if let price = row["price"], Double(price).map({ $0.isFinite && $0 >= 0 }) != true { fatalError("the price \(price)") }
        if row.productID.isEmpty || row.image.isEmpty || !row.path.hasPrefix("/") { fatalError("\(row)") }
        if let url = row["url"], Product.reasonAgainst(url: url) != nil { fatalError("the url \(url)") }
        if ExactText(row.productID) != ExactText(row.productID.oneSpelling) { fatalError("two spellings of \(row.productID)") }
    }
    for group in ProductGroup.groups(of: manifest.rows, source: "m") where group.pictures.isEmpty {
        fatalError("a product without picture")
    }
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: data, count: size))
    switch target {
    case "csv": read(bytes, .csv)
    case "jsonl": read(bytes, .jsonLines)
    case "catalog": read(bytes, .catalogJSON)
    case "filter":
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
        do throws(CatalogError) {
            let filter = try CatalogFilter(lines)
            for clause in filter.clauses { for text in lines { _ = clause.admits(text) } }
        } catch {
            check(error.description)
        }
    default: fatalError("TARGET is \"\(target)\", expected csv, jsonl, catalog or filter")
    }
    return 0
}
