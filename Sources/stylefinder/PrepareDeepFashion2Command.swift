import ArgumentParser
import Catalog
import Foundation

struct PrepareDeepFashion2Command: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prepare-deepfashion2", abstract: "Make a dataset folder of DeepFashion2's files.",
        discussion: """
            Reads train/annos and validation/annos. Every garment is cropped to its box into OUT/crops. Of the validation folder consumers' \
            garments are the queries, shops' garments the gallery; the train folder is trained on, less a validation cut. The dataset has to be \
            signed for: \(Benchmark.deepFashion2.address)
            """)

    @OptionGroup var options: PrepareOptions

    func run() throws {
        let interrupt = Interrupt()
        var preparation = try Preparation(options, by: "prepare-deepfashion2", interrupt)
        let bar = ProgressBar("reading annotations")
        let read = try OfficialSet.deepFashion2(
            root: Failure.path(named: options.root), progress: { bar.show($0, of: $1) }, shouldStop: { interrupt.isRequested })
        guard let (set, withoutStyle) = read else { throw preparation.stopped() }
        preparation.report.withoutStyle = withoutStyle
        try preparation.write(set, cut: options.cut, outside: .leftOut)
    }
}
