/// Files that Bazel itself keeps in a workspace.
package enum BazelsOwnNames {
  /// Their names at the workspace's root.
  ///
  /// Bazel rewrites the lock file at the end of queries and builds, in some versions with other content in each.
  /// Source: https://bazel.build/external/lockfile
  package static let all = ["MODULE.bazel.lock"]
}
