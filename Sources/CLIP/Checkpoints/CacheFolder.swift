import Foundation

/// Where what can be made again is kept for a user.
enum CacheFolder {
    /// `stylefinder/NAME` in `XDG_CACHE_HOME`, or in `.cache` of the user's home; nil where neither is known.
    static func path(_ name: String) -> String? {
        let environment = ProcessInfo.processInfo.environment
        // Relative paths in these variables are to be ignored, says the standard.
        func folder(_ key: String) -> String? { environment[key].flatMap { $0.hasPrefix("/") ? $0 : nil } }
        return (folder("XDG_CACHE_HOME") ?? folder("HOME").map { "\($0)/.cache" }).map { "\($0)/stylefinder/\(name)" }
    }
}
