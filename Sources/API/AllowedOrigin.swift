/// An origin as a browser names it in `Origin`: the comparison is one of texts, so what is written otherwise never matches.
public enum AllowedOrigin {
    /// What keeps a browser from ever sending this text, as a part of a sentence; nil for an origin.
    public static func problem(with text: String) -> String? {
        guard let end = text.firstRange(of: "://") else { return "write it like https://shop.example" }
        let (scheme, rest) = (text[..<end.lowerBound], text[end.upperBound...])
        guard ["http", "https"].contains(String(scheme)) else { return "it begins with http:// or https://, in small letters" }
        if rest.contains(where: { "/?#@".contains($0) }) { return "it ends with the host or the port, without a slash" }
        var host = rest
        if let colon = rest.lastIndex(of: ":"), !rest.hasSuffix("]") {
            host = rest[..<colon]
            let digits = rest[rest.index(after: colon)...]
            guard let port = Int(digits), (1...65535).contains(port), String(port) == digits else {
                return "its port is a number from 1 to 65535"
            }
            if port == (scheme == "http" ? 80 : 443) { return "the port \(port) is left out, since it goes without saying" }
        }
        if host.hasPrefix("["), host.hasSuffix("]") {
            let isAddress = host.dropFirst().dropLast().utf8.allSatisfy { "0123456789abcdef:.".utf8.contains($0) }
            return isAddress && host.contains(":") ? nil : "its address is written in small hexadecimal digits"
        }
        guard !host.isEmpty, host != "*" else { return "it names one host" }
        guard host.utf8.allSatisfy({ "abcdefghijklmnopqrstuvwxyz0123456789-._".utf8.contains($0) }) else {
            return "its host is written in small letters, digits and -._ (other scripts as xn--…)"
        }
        return nil
    }
}
