import Foundation

extension Recipe {
    /// The same recipe as it would stand in another folder: paths that are relative lead from there to where they lead now.
    func placed(in other: String) -> Recipe {
        var recipe = self
        let (here, there) = (Self.real(folder), Self.real(other))
        func moved(_ path: String, isModel: Bool) -> String {
            if path.hasPrefix("/") { return path }
            // The name of a shipped model is none of a folder.
            if isModel, shippedModels[path] != nil, !FileManager.default.fileExists(atPath: resolved(path)) { return path }
            return Self.relative(Self.real("\(here)/\(path)"), to: there)
        }
        switch start {
        case .model(let path): recipe.start = .model(moved(path, isModel: true))
        case .new(let architecture, let vocabulary):
            recipe.start = .new(architecture, vocabulary: moved(vocabulary, isModel: false))
        }
        recipe.teacher = teacher.map { moved($0, isModel: true) }
        if case .mined(let file, let hard) = batch.sampler {
            recipe.batch.sampler = .mined(file: moved(file, isModel: false), hard: hard)
        }
        recipe.folder = there
        return recipe
    }

    /// Without links and dots: a step up from behind a link leads elsewhere than the path says.
    private static func real(_ path: String) -> String {
        URL(fileURLWithPath: path.isEmpty ? "." : path).standardizedFileURL.resolvingSymlinksInPath().path
    }

    private static func relative(_ path: String, to folder: String) -> String {
        let (parts, base) = (path.split(separator: "/"), folder.split(separator: "/"))
        let common = zip(parts, base).prefix { $0 == $1 }.count
        let steps = Array(repeating: "..", count: base.count - common) + parts[common...].map(String.init)
        return steps.isEmpty ? "." : steps.joined(separator: "/")
    }

    /// The first key, in the order of the alphabet, in which two recipes train differently, with both values as JSON.
    func difference(from other: Recipe) throws -> (key: String, own: String, others: String)? {
        let (own, others) = (try Self.leaves(object()), try Self.leaves(other.object()))
        for key in Set(own.keys).union(others.keys).sorted() where !Self.isOnlyWords(key) && own[key] != others[key] {
            return (key, own[key] ?? "absent", others[key] ?? "absent")
        }
        return nil
    }

    /// What a run or a term is called changes no step.
    private static func isOnlyWords(_ key: String) -> Bool {
        key == "description" || key.wholeMatch(of: /losses\[\d+\]\.name/) != nil
    }

    /// Every value of a JSON object by its full key, as text. Lists of plain values are values.
    private static func leaves(_ object: Any, _ key: String = "") throws -> [String: String] {
        var result: [String: String] = [:]
        if let object = object as? [String: Any] {
            for (name, value) in object {
                result.merge(try leaves(value, key.isEmpty ? name : "\(key).\(name)")) { first, _ in first }
            }
        } else if let list = object as? [[String: Any]] {
            for (index, value) in list.enumerated() {
                result.merge(try leaves(value, "\(key)[\(index)]")) { first, _ in first }
            }
        } else {
            let json = try JSONSerialization.data(withJSONObject: object, options: [.fragmentsAllowed, .withoutEscapingSlashes])
            result[key] = String(decoding: json, as: UTF8.self)
        }
        return result
    }
}
