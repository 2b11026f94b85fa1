import ArgumentParser
import Catalog
import Foundation

struct PrepareStreet2ShopCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prepare-street2shop", abstract: "Make a dataset folder of DeepFashion's Consumer-to-shop files.",
        discussion: """
            Reads the pairs of list_eval_partition.txt. Consumers' photos are cropped to their boxes into OUT/crops; of the test they are the \
            queries, the shops' photos the gallery. The official validation rows stay unless --val cuts others. The dataset has to be signed \
            for: \(Benchmark.consumerToShop.address)
            """)

    @OptionGroup var options: PrepareOptions
    @OptionGroup var pictures: ImagesOption

    func run() throws {
        let interrupt = Interrupt()
        var preparation = try Preparation(options, by: "prepare-street2shop", interrupt)
        var set = try OfficialSet.consumerToShop(
            root: Failure.path(named: options.root), pictures: pictures.images.map { try Failure.path(named: $0) })
        let keepsOfficial = options.val == nil && set.rows.contains { $0.fields["split"] == "val" }
        if !keepsOfficial { set.joinValidation() }
        try preparation.checkPictures(&set)
        try preparation.write(set, cut: keepsOfficial ? nil : options.cut, outside: .takenWhole)
    }
}
