import Foundation
import SystemPackage
import TestSupport

/// Rules with the classes, attributes, outputs and output groups of rules_oci, rules_img and rules_docker, for
/// workspaces that reach no network. They lie in `RuleSets/`; a workspace has them in its package `rules`.
enum RuleSets {
  /// All files by their path in a workspace.
  ///
  /// Blobs of layouts are links into other outputs where the Bazel of the running test allows them, as with the real
  /// rules: from 7.1 on.
  static func files() throws -> [String: String] {
    let directory = FilePath(WatchbuildProcess.packageDirectory.path)
      .appending("Tests/EndToEndTests/RuleSets")
    var files = [
      "rules/BUILD": "exports_files([\"image.py\"])\n",
      "rules/links.bzl": "LINKS = \(TestBazel.current.root == .moduleFile ? "True" : "False")\n",
    ]
    for name in ["defs.bzl", "docker.bzl", "image.py", "img.bzl", "layer.bzl", "oci.bzl"] {
      files["rules/\(name)"] = String(
        decoding: try directory.appending(name).read(), as: UTF8.self)
    }
    return files
  }

  /// What a BUILD file begins with that uses them.
  static let load = """
    load("//rules:defs.bzl", "container_bundle", "container_image", "container_import", "image_load",
        "image_manifest", "layer", "oci_image", "oci_image_index", "oci_load", "oci_tarball",
        "platform_transition_filegroup", "py3_image")

    """
}
