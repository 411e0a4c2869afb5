/// The part that a rule's class plays for images.
///
/// The classes are those that `bazel query --output=label_kind` shows: of rules_docker's macros the rules behind them.
enum ImageRuleKind: Hashable {
  /// Loads a layout of rules_oci, and can make a tar of it.
  case layoutLoader
  /// Loads an image of rules_img, and can make a tar of it.
  case manifestLoader
  /// Makes a layout as its default output.
  case layout
  /// Makes a layout in an output group.
  case layoutGroup
  /// Makes a tar that is no default output.
  case dockerTar
  /// Makes a tar of several images that is no default output.
  case dockerBundle
  case alias
  /// Hands its sources on as they are.
  case filegroup
  /// Hands its sources on, built in another configuration.
  case transition

  init?(_ kind: String) {
    switch kind {
    case "oci_load", "oci_tarball": self = .layoutLoader
    case "image_load": self = .manifestLoader
    case "oci_image", "oci_image_index": self = .layout
    case "image_manifest", "image_index": self = .layoutGroup
    case "container_image", "container_image_", "container_import", "_app_layer", "jar_app_layer",
      "_war_app_layer":
      self = .dockerTar
    case "container_bundle", "container_bundle_": self = .dockerBundle
    case "alias": self = .alias
    case "filegroup": self = .filegroup
    default:
      guard kind.hasSuffix("filegroup") else { return nil }
      self = .transition
    }
  }

  /// Every class that makes or loads images.
  static let imageClasses = [
    "oci_load", "oci_tarball", "oci_image", "oci_image_index", "image_load", "image_manifest",
    "image_index", "container_image", "container_image_", "container_import", "container_bundle",
    "container_bundle_", "_app_layer", "jar_app_layer", "_war_app_layer",
  ]

  /// True if such a rule is an image by itself.
  var isImage: Bool { ![.alias, .filegroup, .transition].contains(self) }

  /// The attributes that name the images which such a rule stands on.
  var served: [String] {
    switch self {
    case .layoutLoader, .manifestLoader: ["image"]
    case .layout, .layoutGroup: ["base", "images", "manifests"]
    case .dockerTar: ["base"]
    case .dockerBundle: ["image_targets"]
    case .alias: ["actual"]
    case .filegroup, .transition: ["srcs"]
    }
  }
}
