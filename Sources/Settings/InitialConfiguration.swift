package import Basics
package import SystemPackage

/// A first `watchbuild.yaml`: the images that there are, and nothing else.
package struct InitialConfiguration: Encodable {
  package struct Image: Equatable, Encodable {
    package var name: String
    package var target: String
    var ref: String?
    var options: [String]?

    package init(name: String, target: String) {
      self.name = name
      self.target = target
    }
  }

  package var images: [Image]

  package init(_ images: [Image]) { self.images = images }

  /// The file's text.
  ///
  /// - Throws: `Problem` when the reader of the file would refuse it.
  package func text() throws -> String {
    let text = """
      # The images that watchbuild keeps up to date. 'watchbuild config print' shows all other settings,
      # and 'watchbuild config schema' tells editors about them.

      """
    let whole = try text + YAMLDocument.text(encoding: self)
    do throws(Problem) {
      _ = try ConfigurationReader.read(whole, file: ConfigurationFile.name, directory: "/")
    } catch {
      throw Problem(
        "these images can't be written into one file: \(error.message)",
        hint: "write \(ConfigurationFile.name) by hand")
    }
    return whole
  }
}

extension Settings {
  /// Where the configuration file is, or would be: what `-f` or its variable names, else at the workspace's root.
  package static func filePath(
    _ options: GivenOptions, environment: [String: String], currentDirectory: FilePath
  ) throws(Problem) -> FilePath {
    let variables = EnvironmentSettings(environment: environment, directory: currentDirectory)
    let directory = directory(options, variables)
    let given = options.file ?? variables.path("WATCHBUILD_FILE")
    guard let given else {
      return try Workspace.root(above: directory).appending(ConfigurationFile.name)
    }
    return directory.pushing(given).lexicallyNormalized()
  }
}
