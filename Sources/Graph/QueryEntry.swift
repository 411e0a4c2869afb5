/// One entry of `bazel query`'s answer: what the index is made of.
///
/// Labels stay as Bazel printed them; the index makes them canonical.
/// Source: src/main/protobuf/build.proto in Bazel
package enum QueryEntry: Hashable, Sendable {
  /// - `kind`: the rule class, such as `oci_load`; `inputs`: labels of all that it reads.
  case rule(name: String, kind: String, inputs: [String])
  /// - `loads`: on a BUILD file, the `.bzl` files that it loads, directly or not.
  case sourceFile(name: String, loads: [String])
  case generatedFile(name: String, rule: String)

  /// The target's label as Bazel printed it.
  package var name: String {
    switch self {
    case .rule(let name, _, _), .sourceFile(let name, _), .generatedFile(let name, _): name
    }
  }
}
