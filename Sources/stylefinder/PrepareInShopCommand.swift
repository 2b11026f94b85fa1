import ArgumentParser
import Catalog
import Foundation

struct PrepareInShopCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prepare-inshop", abstract: "Make a dataset folder of DeepFashion's In-shop files.",
        discussion: """
            Reads list_eval_partition.txt and, where they are there, boxes, descriptions, colours and attributes; checks them; cuts a validation \
            split out of train; writes OUT/manifest.jsonl. The dataset has to be signed for: \(Benchmark.inShop.address)
            """)

    enum Layout: String, CaseIterable, ExpressibleByArgument { case manifest, paper }

    @OptionGroup var options: PrepareOptions
    @OptionGroup var pictures: ImagesOption

    @Option(help: "paper: also the original project's folders train, val, query, gallery and its three JSON files.")
    var layout: Layout = .manifest

    func run() throws {
        let interrupt = Interrupt()
        var preparation = try Preparation(options, by: "prepare-inshop", interrupt)
        let read = try OfficialSet.inShop(
            root: Failure.path(named: options.root), pictures: pictures.images.map { try Failure.path(named: $0) })
        var set = read.set
        try preparation.checkPictures(&set) { set, sizes in set.placeBoxes(read.boxes) { sizes[$0] } }
        try preparation.write(set, cut: options.cut, isPaperLayout: layout == .paper)
    }
}
