/// The published benchmarks that are read from their official files. None of them may be passed on: whoever uses one signs for it.
public enum Benchmark: String, Sendable, Hashable, Codable {
    case inShop = "In-shop"
    case consumerToShop = "Consumer-to-shop"
    case deepFashion2 = "DeepFashion2"

    /// Where its owners give it out.
    public var address: String {
        switch self {
        case .inShop: "https://mmlab.ie.cuhk.edu.hk/projects/DeepFashion/InShopRetrieval.html"
        case .consumerToShop: "https://mmlab.ie.cuhk.edu.hk/projects/DeepFashion/Consumer2ShopRetrieval.html"
        case .deepFashion2: "https://github.com/switchablenorms/DeepFashion2"
        }
    }
}
