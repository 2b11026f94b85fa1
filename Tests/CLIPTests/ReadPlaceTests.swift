import Testing
import Torch

@testable import CLIP

@Suite("The last block of a tower, for the one place that is read")
struct ReadPlaceTests {
    private static let (batch, tokens, width) = (3, 9, 32)

    private static func blocks(causal: Bool, in store: ParameterStore) throws -> [TransformerBlock] {
        try (0..<2).map {
            try TransformerBlock(
                store.root["blocks"][$0], width: width, hidden: 48, heads: 4, depth: 2, causal: causal, activation: .quickGELU,
                eps: 1e-5)
        }
    }

    private static func places(_ kind: String) throws -> ReadPlace {
        kind == "first"
            ? .index(0) : kind == "last" ? .index(tokens - 1) : .indices(try Tensor([4, 8, 0] as [Int64], shape: [batch]))
    }

    @Test(
        "it has the state that all blocks have there, plain and packed, and the same gradients",
        arguments: [(false, "first"), (false, "last"), (true, "ends"), (true, "last")])
    func same(causal: Bool, kind: String) throws {
        let store = ParameterStore()
        let all = try Self.blocks(causal: causal, in: store)
        // The same weights once more, with gradients of their own.
        let copies = try store.parameters.map { ($0.name, try Tensor($0.tensor.floats(), shape: $0.tensor.shape)) }
        let other = ParameterStore(weights: Dictionary(uniqueKeysWithValues: copies), source: "a copy")
        let blocks = try Self.blocks(causal: causal, in: other)
        for (_, tensor) in store.parameters + other.parameters { try tensor.setRequiresGradient(true) }
        let place = try Self.places(kind)
        var numbers = SystemRandomNumberGenerator()
        let count = Self.batch * Self.tokens * Self.width
        let x = try Tensor(
            (0..<count).map { _ in Float.random(in: -2...2, using: &numbers) }, shape: [Self.batch, Self.tokens, Self.width])

        let whole = try place.state(of: all.reduce(x) { try $1($0) })
        let one = try blocks(x, at: place)
        #expect(one.shape == [Self.batch, Self.width])
        #expect(try Self.distance(whole, one) < 1e-5)
        try (whole * whole).sum().backward()
        try (one * one).sum().backward()
        #expect(store.parameters.count == 24 && other.parameters.count == 24)
        for (first, second) in zip(store.parameters, other.parameters) {
            let expected = try #require(try first.tensor.gradient())
            let found = try #require(try second.tensor.gradient(), "\(second.name)")
            let scale = try expected.floats().map(abs).max() ?? 1
            #expect(try first.name == second.name && Self.distance(expected, found) < 1e-5 * max(1, scale), "\(first.name)")
        }
        try blocks.prepareForInference(.float32, forOnePlace: true) {}
        #expect(try Self.distance(whole, withoutGradients { try blocks(x, at: place) }) < 1e-5)
    }

    private static func distance(_ one: Tensor, _ other: Tensor) throws -> Float {
        zip(try one.floats(), try other.floats()).map { abs($0 - $1) }.max() ?? .infinity
    }
}
