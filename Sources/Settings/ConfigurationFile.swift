import Basics
package import SystemPackage

/// The configuration file on disk.
package struct ConfigurationFile: Equatable, Sendable {
  package static let name = "watchbuild.yaml"
  /// Far more than any configuration written by hand.
  private static let maximumSize = 1 << 20

  /// Absolute.
  package var path: FilePath
  /// As messages show it: relative to the workspace, or as `-f` has it.
  package var displayName: String

  /// - Parameters:
  ///   - given: What `-f` or the environment names; relative to `directory`.
  ///   - workspace: The workspace's root, where the file is looked for otherwise.
  ///   - directory: The working directory, or what `-C` named.
  /// - Returns: `nil` when none was named and the workspace has none.
  /// - Throws: When the workspace has one under a name that is not read.
  static func find(
    given: FilePath?, workspace: FilePath, directory: FilePath
  ) throws(Problem) -> ConfigurationFile? {
    if let given {
      let path = directory.pushing(given).lexicallyNormalized()
      return ConfigurationFile(path: path, displayName: given.string)
    }
    let path = workspace.appending(name)
    if Disk.type(of: path) != nil {
      return ConfigurationFile(path: path, displayName: name)
    }
    let other = workspace.appending("watchbuild.yml")
    guard Disk.type(of: other) == nil else {
      throw Problem("\(other) is not read", hint: "rename it to \(name)")
    }
    return nil
  }

  /// - Parameter profile: Which of its profiles is merged over the rest; `nil`: none.
  func read(profile: String? = nil) throws(Problem) -> Configuration {
    try ConfigurationReader.read(
      text(), file: displayName, directory: path.removingLastComponent(), profile: profile)
  }

  /// The values of the file with a profile over them, each with its line.
  func values(profile: String?) throws(Problem) -> YAMLNode? {
    try ConfigurationProfiles(of: YAMLDocument(parsing: text(), file: displayName).root)
      .merged(profile)
  }

  private func text() throws(Problem) -> String {
    let bytes: [UInt8]
    // Opening a pipe would wait for its writer.
    if let type = Disk.type(of: path), type == .fifo || type == .socket {
      throw Problem(
        "can't read the configuration \(path): it is no regular file",
        hint: "pass a regular file to -f")
    }
    do {
      bytes = try Disk.read(path, limit: Self.maximumSize)
    } catch let error as Errno {
      throw Problem(
        "can't read the configuration \(path): \(error)",
        hint: error == .noSuchFileOrDirectory ? "pass an existing file to -f" : nil)
    } catch {
      throw Problem("can't read the configuration \(path): \(error)")
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw Problem(
        "the file is not UTF-8", at: Problem.Location(file: displayName, line: 1),
        hint: "save it as UTF-8")
    }
    return text
  }
}
