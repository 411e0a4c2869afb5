import Graph
package import SystemPackage

/// Files outside a workspace that its own files say Bazel reads: known before Bazel is asked.
package enum OutsideInputs {
  /// - Returns: Absolute paths of files, be they there or not.
  package static func files(
    of workspace: FilePath, startupOptions: [String] = [], user: UserEnvironment = .current
  ) -> Set<FilePath> {
    let rc = BazelRCFiles(workspace: workspace, user: user, startupOptions: startupOptions)
    let files = WorkspaceFiles(workspace: workspace, rc: rc).inputs.files
    return Set(files.filter { $0.hasPrefix("/") }.map { FilePath($0) })
  }
}
