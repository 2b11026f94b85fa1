internal import CTorch

/// Where a tensor's memory lies and its operations run.
public enum Device: String, Sendable, CaseIterable {
    case cpu, cuda, mps

    var code: CTDevice {
        switch self {
        case .cpu: CT_CPU
        case .cuda: CT_CUDA
        case .mps: CT_MPS
        }
    }

    /// Whether this build and machine can use the device. `cuda` loads libtorch's CUDA half if it lies beside the CPU half; it is to be asked
    /// for before the process's first backward pass.
    public var isAvailable: Bool {
        var available = false
        return ct_device_available(code, &available) == CT_OK && available
    }

    /// - Throws: `TorchError.deviceUnavailable` with the reason.
    public func require() throws(TorchError) {
        if !isAvailable { throw .deviceUnavailable(self, reason: String(cString: ct_device_obstacle(code))) }
    }

    /// Waits for everything that was asked of the device so far: its operations return before they are done.
    public func synchronize() throws(TorchError) {
        try checked { ct_synchronize(code) }
    }
}

/// State of libtorch that belongs to the process.
public enum TorchRuntime {
    /// The version of libtorch this was compiled against.
    public static var version: String { String(cString: ct_version()) }

    /// Threads one operation may use on the CPU.
    public static var threads: Int { Int(ct_threads()) }

    /// - Parameter count: 1…1024.
    public static func setThreads(_ count: Int) throws(TorchError) {
        try checked { ct_set_threads(Int64(count)) }
    }

    /// Which memory of freed tensors a process keeps.
    public enum FreedMemory: Sendable {
        /// All of it, until the process ends: for one that repeats the same work.
        case all
        /// Blocks of up to 32 MB, and about 256 MB of them: for one that also meets a large picture now and then.
        case small
    }

    /// Keeps the memory of tensors that are freed for those that follow: the system clears each page that it hands out, which costs a step of
    /// training more than half as much again, and an answer a fifth.
    public static func keepFreedMemory(_ extent: FreedMemory) { ct_keep_freed_memory(extent == .all) }

    /// The instructions that products of bytes are made of on this processor, such as `AVX2` or `AVX-512 VNNI`.
    public static var int8Instructions: String { String(cString: ct_int8_instructions()) }

    /// Seeds the generator behind `Tensor.randomNormal` and `randomUniform`, which draw on the CPU: a seed means the same numbers for every
    /// device.
    public static func seed(_ seed: UInt64) throws(TorchError) {
        try checked { ct_manual_seed(seed) }
    }

    /// Lets float32 products and convolutions on CUDA round their factors to 10 bits (TF32), which is quicker and no longer what the CPU
    /// computes. Off unless it is switched on here.
    public static func allowTF32(_ allowed: Bool) throws(TorchError) {
        try checked { ct_set_tf32(allowed) }
    }

    /// Tensor handles alive in the process. For leak tests.
    public static var liveTensors: Int { Int(ct_live_tensors()) }
}
