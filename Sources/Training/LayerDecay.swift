import Foundation

/// Rates that fall from block to block, from a tower's output to its input: factor^k for the block that is k blocks from the output, as BERT
/// and its kin are fine-tuned (Clark et al. 2020, arXiv:2003.10555, appendix A: "layer-wise learning-rate decay").
struct LayerDecay {
    private let factor: Double
    /// Blocks of the image tower, and of the text tower.
    private var depths = [true: 0, false: 0]

    /// - Parameters: names of all parameters; factor in (0, 1].
    init(_ names: [String], factor: Double) {
        self.factor = factor
        for name in names {
            if case .block(let number) = Self.place(name) {
                depths[Self.isVisual(name)] = max(depths[Self.isVisual(name)]!, number)
            }
        }
    }

    func factor(of name: String) -> Double {
        let depth = depths[Self.isVisual(name)]!
        switch Self.place(name) {
        // Without blocks there is nothing that it could be far from.
        case .input: return depth == 0 ? 1 : pow(factor, Double(depth + 1))
        case .block(let number): return pow(factor, Double(depth + 1 - number))
        case .output: return 1
        }
    }

    private enum Place {
        case input
        /// From 1.
        case block(Int)
        case output
    }

    private static func isVisual(_ name: String) -> Bool { name.hasPrefix("visual.") }

    /// OpenAI's names, and timm's within `visual.trunk.`.
    private static func place(_ name: String) -> Place {
        if let found = name.firstMatch(of: /(?:resblocks|blocks)\.(\d+)\./), let number = Int(found.1) {
            return .block(number + 1)
        }
        if let found = name.firstMatch(of: /\.layer(\d)\./), let number = Int(found.1) { return .block(number) }
        let outputs = [
            "visual.ln_post", "visual.proj", "visual.attnpool", "visual.head", "visual.trunk.conv_head", "visual.trunk.bn2",
            "visual.trunk.head", "visual.trunk.fc", "ln_final", "text_projection", "logit_",
        ]
        return outputs.contains { name.hasPrefix($0) } ? .output : .input
    }
}
