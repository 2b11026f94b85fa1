/// What a report says: text, remarks and figures, without a word of how it looks.
///
/// `write(to:)` makes of it one page that needs nothing else, and every figure as a PNG file.
public struct Report: Sendable {
    public var title: String
    /// What was measured on what, a paragraph each.
    public var lead: [String]
    /// What a reader should know before the figures.
    public var remarks: [Remark]
    public var sections: [Section]

    public init(title: String, lead: [String] = [], remarks: [Remark] = [], sections: [Section] = []) {
        self.title = title
        self.lead = lead
        self.remarks = remarks
        self.sections = sections
    }

    /// Something a run wants to say, such as that its vectors have collapsed.
    public struct Remark: Sendable, Equatable {
        public enum Kind: Sendable { case note, warning }

        public var kind: Kind
        public var text: String

        public init(_ kind: Kind, _ text: String) {
            self.kind = kind
            self.text = text
        }
    }

    public struct Section: Sendable {
        public var title: String
        public var text: [String]
        public var figures: [Figure]

        public init(_ title: String, text: [String] = [], figures: [Figure] = []) {
            self.title = title
            self.text = text
            self.figures = figures
        }
    }

    public struct Figure: Sendable {
        /// The name of its PNG file without the ending, and its address in the page: letters, digits and hyphens, each name once.
        public var name: String
        public var title: String
        /// How it is to be read.
        public var note: String
        /// Whether the page shows only its title until somebody opens it.
        public var isFolded: Bool
        public var content: Content

        public init(_ name: String, title: String, note: String = "", isFolded: Bool = false, _ content: Content) {
            self.name = name
            self.title = title
            self.note = note
            self.isFolded = isFolded
            self.content = content
        }
    }

    public enum Content: Sendable {
        case table(Table)
        case charts([LineChart])
        case bars(BarChart)
        case grid(RetrievalGrid)
        /// Terms and what they mean; no picture is made of them.
        case definitions([(term: String, text: String)])
    }
}
