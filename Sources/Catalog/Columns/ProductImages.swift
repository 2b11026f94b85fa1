/// The usable images of each product, in the order of ids: two arrays instead of a list for each product.
struct ProductImages: Sendable {
    /// By product number: the first image, or 0.
    private var first: [UInt32] = []
    /// By image id: the next image of the same product, or 0.
    private var next: [UInt32] = []

    init() {}

    /// - Parameter pairs: image and product number, in ascending order of images.
    init(_ pairs: [(id: UInt32, code: UInt32)], greatest: Int, products: Int) {
        first = [UInt32](repeating: 0, count: products)
        next = [UInt32](repeating: 0, count: greatest + 1)
        for pair in pairs.reversed() {
            next[Int(pair.id)] = first[Int(pair.code)]
            first[Int(pair.code)] = pair.id
        }
    }

    struct Images: Sequence, IteratorProtocol {
        fileprivate var current: UInt32
        fileprivate let following: [UInt32]

        mutating func next() -> Int? {
            guard current != 0 else { return nil }
            defer { current = following[Int(current)] }
            return Int(current)
        }
    }

    func images(of product: UInt32) -> Images {
        Images(current: Int(product) < first.count ? first[Int(product)] : 0, following: next)
    }

    mutating func insert(_ id: Int, of product: UInt32) {
        if Int(product) >= first.count { first.append(contentsOf: repeatElement(0, count: Int(product) + 1 - first.count)) }
        if id >= next.count { next.append(contentsOf: repeatElement(0, count: id + 1 - next.count)) }
        let (before, after) = neighbours(of: id, in: product)
        next[id] = after
        if before == 0 { first[Int(product)] = UInt32(id) } else { next[Int(before)] = UInt32(id) }
    }

    mutating func remove(_ id: Int, of product: UInt32) {
        let (before, found) = neighbours(of: id, in: product)
        guard found == UInt32(id) else { return }
        if before == 0 { first[Int(product)] = next[id] } else { next[Int(before)] = next[id] }
        next[id] = 0
    }

    /// The last image of the product before an id, and the first from it on; 0 where there is none.
    private func neighbours(of id: Int, in product: UInt32) -> (before: UInt32, after: UInt32) {
        var before: UInt32 = 0
        var after = first[Int(product)]
        while after != 0, Int(after) < id { (before, after) = (after, next[Int(after)]) }
        return (before, after)
    }
}
