package import SystemPackage

extension RuntimeKind {
  /// An OCI image layout in a directory. The last that `auto` tries, because it always answers.
  static let store = RuntimeKind(
    "oci", usage: "oci:DIR",
    answers: Answer(rank: 3) { finder, _ in
      finder.add(ImageStore(finder.store))
      return "the image store \(finder.store)"
    },
    parse: { path, place throws(RuntimeChoiceError) in
      guard !path.isEmpty else { throw .missingDirectory }
      return place.directory.pushing(FilePath(path)).lexicallyNormalized().string
    }
  ) { path, finder in
    guard let path else { throw RuntimeChoiceError.missingDirectory }
    finder.add(ImageStore(FilePath(path)))
  }
}

extension RuntimeChoice {
  package static func store(_ directory: FilePath) -> RuntimeChoice {
    RuntimeChoice(.store, directory.string)
  }
}
