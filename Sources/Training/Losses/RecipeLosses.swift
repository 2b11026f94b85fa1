extension Recipe.Loss {
    /// The kinds of loss that a recipe may sum, each with its settings.
    public enum Kind: Sendable, Equatable {
        case infoNCE(InfoNCE)
        case supCon(SupCon)
        case teacher(TeacherRegression)
        case teacherRelations(TeacherRelations)
        case teacherContrast(TeacherContrast)
        case crossEntropy(CrossEntropy)
        case arcFace(ArcFace)
        case normalizedSoftmax(NormalizedSoftmax)
        case triplet(Triplet)
        case proxyAnchor(ProxyAnchor)
        case textPrototypes(TextPrototypes)
        case prompts(Prompts)
        case dynamicPrompts(DynamicPrompts)
        case weightDrift(WeightDrift)

        var term: any LossTerm {
            switch self {
            case .infoNCE(let term): term
            case .supCon(let term): term
            case .teacher(let term): term
            case .teacherRelations(let term): term
            case .teacherContrast(let term): term
            case .crossEntropy(let term): term
            case .arcFace(let term): term
            case .normalizedSoftmax(let term): term
            case .triplet(let term): term
            case .proxyAnchor(let term): term
            case .textPrototypes(let term): term
            case .prompts(let term): term
            case .dynamicPrompts(let term): term
            case .weightDrift(let term): term
            }
        }
    }
}

extension Recipe.Loss.Kind {
    fileprivate enum Name: String, CaseIterable {
        case infoNCE = "info-nce"
        case supCon = "supcon"
        case teacher
        case teacherRelations = "teacher-relations"
        case teacherContrast = "teacher-contrast"
        case crossEntropy = "cross-entropy"
        case arcFace = "arcface"
        case normalizedSoftmax = "normalized-softmax"
        case triplet
        case proxyAnchor = "proxy-anchor"
        case textPrototypes = "text-prototypes"
        case prompts
        case dynamicPrompts = "dynamic-prompts"
        case weightDrift = "weight-drift"
    }

    fileprivate var name: Name {
        switch self {
        case .infoNCE: .infoNCE
        case .supCon: .supCon
        case .teacher: .teacher
        case .teacherRelations: .teacherRelations
        case .teacherContrast: .teacherContrast
        case .crossEntropy: .crossEntropy
        case .arcFace: .arcFace
        case .normalizedSoftmax: .normalizedSoftmax
        case .triplet: .triplet
        case .proxyAnchor: .proxyAnchor
        case .textPrototypes: .textPrototypes
        case .prompts: .prompts
        case .dynamicPrompts: .dynamicPrompts
        case .weightDrift: .weightDrift
        }
    }

    fileprivate init(_ form: RecipeForm, _ value: Self?) throws(TrainingError) {
        func settings<Term: LossTerm>() throws(TrainingError) -> Term { try Term(form, value?.term as? Term) }
        switch try form.choice("kind", value?.name) {
        case .infoNCE: self = .infoNCE(try settings())
        case .supCon: self = .supCon(try settings())
        case .teacher: self = .teacher(try settings())
        case .teacherRelations: self = .teacherRelations(try settings())
        case .teacherContrast: self = .teacherContrast(try settings())
        case .crossEntropy: self = .crossEntropy(try settings())
        case .arcFace: self = .arcFace(try settings())
        case .normalizedSoftmax: self = .normalizedSoftmax(try settings())
        case .triplet: self = .triplet(try settings())
        case .proxyAnchor: self = .proxyAnchor(try settings())
        case .textPrototypes: self = .textPrototypes(try settings())
        case .prompts: self = .prompts(try settings())
        case .dynamicPrompts: self = .dynamicPrompts(try settings())
        case .weightDrift: self = .weightDrift(try settings())
        }
    }

    /// Such as `supcon` or, over other columns than the product's, `supcon_product_id_color`.
    fileprivate var usualName: String {
        let columns = term.labelColumns ?? LossBatch.product
        let kind = name.rawValue.replacing("-", with: "_")
        return columns == LossBatch.product ? kind : "\(kind)_\(columns.joined(separator: "_"))"
    }
}

extension Recipe.Loss {
    /// The key `losses`: a list, or the object of four weights that recipes of version 1 have.
    /// - Parameter mayBeAbsent: where nothing is trained.
    static func list(_ form: RecipeForm, _ value: [Self]?, mayBeAbsent: Bool) throws(TrainingError) -> [Self] {
        let found = form.holdsObject("losses") ? try earlierList(form) : try form.sections("losses", value, Self.init)
        guard let losses = found ?? (mayBeAbsent ? [] : nil) else { throw form.missing("losses") }
        guard !losses.isEmpty || mayBeAbsent else { throw form.wrong("losses", "without a term", "at least one weight above 0") }
        for (index, loss) in losses.enumerated() where losses[..<index].contains(where: { $0.name == loss.name }) {
            throw form.wrong("losses[\(index)].name", loss.name, "another name than that of a term before it")
        }
        return losses
    }

    private init(_ form: RecipeForm, _ value: Self?) throws(TrainingError) {
        kind = try Kind(form, value?.kind)
        weight = try form.number("weight", value?.weight, in: 1e-9...1000, default: 1)
        name = try form.string("name", value?.name, default: kind.usualName)
        // It names tensors in a file and keys in the metrics.
        guard name.wholeMatch(of: /[A-Za-z0-9_-]+/) != nil else {
            throw form.wrong("name", name, "letters, digits, _ and -")
        }
        if kind.term.ownsTensors { rate = try form.optionalNumber("rate", value?.rate, in: 0...1000) }
        if kind.term.takesPrefixes {
            prefixes = try form.optionalIntegers("prefixes", value.map(\.prefixes), count: 1...16, in: 1...65_536) ?? []
        }
    }
}

extension RecipeForm {
    /// The columns `by` which photos are alike: one name, or a list that must all agree.
    func labelColumns(_ value: [String]?) throws(TrainingError) -> [String] {
        try oneOrMore("by", value, default: LossBatch.product)
    }

    func side(_ value: LossSide?) throws(TrainingError) -> LossSide { try choice("on", value, default: .image) }

    /// `on` for a loss that has no choice.
    func onlySide<Side: RawRepresentable & CaseIterable>(_ side: Side) throws(TrainingError) where Side.RawValue == String {
        _ = try choice("on", Side?.none, default: side)
    }
}
