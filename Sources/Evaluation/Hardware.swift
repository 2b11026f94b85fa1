import Foundation

#if canImport(Darwin)
    import Darwin
#endif

/// What a time was measured on.
public struct Hardware: Codable, Sendable, Equatable {
    /// As the processor calls itself, such as `AMD EPYC 7763 64-Core Processor`.
    public var processor: String
    /// Cores that this process may use.
    public var cores: Int
    /// Where the model ran: `cpu`, `cuda` or `mps`.
    public var device: String

    public init(processor: String, cores: Int, device: String) {
        self.processor = processor
        self.cores = cores
        self.device = device
    }

    /// This machine.
    public static func current(device: String) -> Hardware {
        Hardware(
            processor: processorName ?? "unknown processor", cores: ProcessInfo.processInfo.activeProcessorCount, device: device)
    }

    private static var processorName: String? {
        #if canImport(Darwin)
            var size = 0
            guard sysctlbyname("machdep.cpu.brand_string", nil, &size, nil, 0) == 0, size > 1 else { return nil }
            var name = [UInt8](repeating: 0, count: size)
            guard sysctlbyname("machdep.cpu.brand_string", &name, &size, nil, 0) == 0 else { return nil }
            return String(decoding: name.prefix { $0 != 0 }, as: UTF8.self)
        #else
            guard let text = try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8) else { return nil }
            // `model name` on x86, `Model` or `Hardware` on small arm boards.
            for key in ["model name", "Model", "Hardware"] {
                for line in text.split(separator: "\n") where line.hasPrefix(key) {
                    let parts = line.split(separator: ":", maxSplits: 1)
                    if parts.count == 2 { return parts[1].trimmingCharacters(in: .whitespaces) }
                }
            }
            return nil
        #endif
    }
}
