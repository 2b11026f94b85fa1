import Foundation
import Synchronization

/// How much one client may ask: a bucket of tokens for each, which fills at a rate and from which each request takes one.
final class RateLimit: Sendable {
    private struct Bucket {
        var tokens: Double
        var at: ContinuousClock.Instant
    }

    /// Tokens a second.
    let rate: Double
    /// So many requests may come at once after a pause.
    let burst: Double
    private let clients: Int
    private let buckets = Mutex<[[UInt8]: Bucket]>([:])

    /// - Parameters: rate: requests a second, above 0; clients: that are told apart at a time.
    init(rate: Double, clients: Int = 65_536) {
        self.rate = rate
        burst = max(1, (rate * 2).rounded())
        self.clients = clients
    }

    /// Takes a token.
    /// - Returns: nil where there was one, else seconds until there is.
    func take(_ client: String, now: ContinuousClock.Instant = .now) -> Int? {
        let key = Self.key(client)
        return buckets.withLock { buckets in
            var bucket = buckets[key] ?? Bucket(tokens: burst, at: now)
            bucket.tokens = min(burst, bucket.tokens + bucket.at.duration(to: now) / .seconds(1) * rate)
            bucket.at = now
            defer { buckets[key] = bucket }
            if buckets.count >= clients { forget(&buckets, now) }
            guard bucket.tokens >= 1 else { return max(1, Int(((1 - bucket.tokens) / rate).rounded(.up))) }
            bucket.tokens -= 1
            return nil
        }
    }

    /// Drops buckets that are full again, which say nothing; where that is too few, those that were used longest ago.
    private func forget(_ buckets: inout [[UInt8]: Bucket], _ now: ContinuousClock.Instant) {
        buckets = buckets.filter { $0.value.tokens + $0.value.at.duration(to: now) / .seconds(1) * rate < burst }
        guard buckets.count >= clients / 4 * 3 else { return }
        let old = buckets.sorted { $0.value.at < $1.value.at }.prefix(buckets.count / 2)
        for (key, _) in old { buckets[key] = nil }
    }

    /// An address of IPv4; of IPv6 the network of 64 bits, all of which one client may have.
    private static func key(_ client: String) -> [UInt8] {
        guard let bytes = Network.bytes(client) else { return Array(client.utf8) }
        let isFour = bytes.starts(with: [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF])
        return isFour ? Array(bytes.suffix(4)) : Array(bytes.prefix(8))
    }
}
