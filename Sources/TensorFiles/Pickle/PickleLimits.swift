/// What a pickle may ask for before it is refused. A real checkpoint has a few thousand values, and a pickle of some hundred
/// kilobytes; a bomb doubles a list forty times in as many bytes.
enum PickleLimits {
    /// Length of `data.pkl`, and of all texts and bytes made from it. Elements don't count: they are not in the pickle.
    static let bytes = 1 << 26
    /// Values pushed, copied, or standing in the finished tree, where a shared one counts as often as it appears.
    static let values = 1 << 20
    /// How deep values nest: low enough for a thread's stack, where models nest some ten modules at two levels each.
    static let depth = 100
    /// Length of a class's or function's name.
    static let name = 512
}
