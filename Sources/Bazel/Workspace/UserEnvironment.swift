import Glibc
package import SystemPackage

/// Variables that Bazel takes from the environment of its user.
package struct UserEnvironment: Sendable {
  package var home: FilePath?
  /// Where Bazel keeps the output of this user's workspaces, unless options say otherwise.
  package var outputRoots: [FilePath] = []
  /// Files of options that `BAZELRC` names.
  package var rcFiles: [FilePath] = []

  package init(home: FilePath? = nil) { self.home = home }

  /// - Parameter variable: Of the environment; `nil` where it is not set.
  init(user: String, _ variable: (String) -> String?) {
    home = variable("HOME").map { FilePath($0) }
    // Source: https://bazel.build/remote/output-directories
    let caches =
      [variable("TEST_TMPDIR"), variable("XDG_CACHE_HOME").map { $0 + "/bazel" }].compactMap {
        $0.map { FilePath($0) }
      } + [home?.appending(".cache").appending("bazel")].compactMap(\.self)
    outputRoots = caches.map { $0.appending("_bazel_\(user)") }
    rcFiles = (variable("BAZELRC") ?? "").split(separator: ",").map { FilePath(String($0)) }
  }

  /// Our own, which Bazel is given.
  package static var current: Self {
    let user = getenv("USER").map { String(cString: $0) }
    let name = user ?? getpwuid(geteuid()).map { String(cString: $0.pointee.pw_name) } ?? ""
    return Self(user: name) { name in getenv(name).map { String(cString: $0) } }
  }
}
