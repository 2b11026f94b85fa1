import CImaging

/// Who may end a decode before its picture is whole, and whose memory it works in.
public struct DecodingControl: Sendable {
    /// When the picture has to be there; none where left out. A decode that is still waiting or working then throws `ImageError.deadlinePassed`.
    public var deadline: ContinuousClock.Instant?
    /// Whether nobody wants the picture any more; the decode then throws `ImageError.cancelled`. Asked every few rows and while the decode waits for
    /// memory, always on the thread that decodes, so it has to be quick and must not block.
    public var isCancelled: @Sendable () -> Bool
    public var memory: DecodingMemory

    public init(
        deadline: ContinuousClock.Instant? = nil, memory: DecodingMemory = .forProcess,
        isCancelled: @escaping @Sendable () -> Bool = { false }
    ) {
        self.deadline = deadline
        self.memory = memory
        self.isCancelled = isCancelled
    }

    /// Why a decode has to end now, none if it may go on.
    var reasonToStop: ImageError? {
        if isCancelled() { return .cancelled }
        if let deadline, ContinuousClock.now >= deadline { return .deadlinePassed }
        return nil
    }

    /// Calls a decoder of the shim with this control. What `body` is given must not outlive it.
    func withShim<Result>(maxWork: Int, _ body: (UnsafePointer<CIControl>) -> Result) -> Result {
        withUnsafePointer(to: self) { control in
            var shim = CIControl()
            shim.work = UInt64(max(maxWork, 0))
            shim.context = UnsafeMutableRawPointer(mutating: control)
            shim.stops = { context in
                context?.assumingMemoryBound(to: DecodingControl.self).pointee.reasonToStop == nil ? 0 : 1
            }
            return withUnsafePointer(to: shim, body)
        }
    }
}
