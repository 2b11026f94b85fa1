import Foundation

/// What ships with the program.
enum Resources {
    /// A folder that ships with the program, found from where the program itself lies: beside an installed one in `share/stylefinder`, in a
    /// checkout above the build.
    static func folder(_ name: String) -> String? {
        var folder = URL(fileURLWithPath: Bundle.main.executablePath ?? CommandLine.arguments[0]).resolvingSymlinksInPath()
            .deletingLastPathComponent()
        for _ in 0..<5 {
            for candidate in ["\(folder.path)/share/stylefinder/\(name)", "\(folder.path)/\(name)"] {
                var isFolder: ObjCBool = false
                if FileManager.default.fileExists(atPath: candidate, isDirectory: &isFolder), isFolder.boolValue {
                    return candidate
                }
            }
            folder.deleteLastPathComponent()
        }
        return nil
    }
}
