import Runner
import SystemPackage
import Testing

@Suite struct RuntimeChoiceTests {
  @Test(arguments: [
    ("auto", RuntimeChoice.auto), ("docker", .docker), ("none", .none),
    ("oci:/srv/images", .store("/srv/images")), ("oci:out/images", .store("/work/out/images")),
    ("oci:../images", .store("/images")), ("oci:/a:b", .store("/a:b")),
  ])
  func `a choice is understood`(text: String, expected: RuntimeChoice) throws {
    #expect(try RuntimeChoice(text, relativeTo: "/work") == expected)
  }

  @Test(arguments: [
    "podman", "containerd", "containerd:k8s.io", "kind", "kind:dev", "k3d:dev", "minikube",
    "registry:localhost:5000/x",
  ])
  func `a runtime that is to come is said to be so`(text: String) {
    let error = #expect(throws: RuntimeChoiceError.unsupported(text)) {
      try RuntimeChoice(text, relativeTo: "/work")
    }
    #expect(
      error?.description
        == "loading into \(text) is not supported by this version; use docker, oci:DIR, none or auto"
    )
  }

  @Test(arguments: ["", "dokcer", "docker:x", "none:", ":", "OCI:/x"])
  func `anything else is not known`(text: String) {
    #expect(throws: RuntimeChoiceError.unknown(text)) {
      try RuntimeChoice(text, relativeTo: "/work")
    }
  }

  @Test(arguments: ["oci", "oci:"])
  func `a layout needs a directory`(text: String) {
    #expect(throws: RuntimeChoiceError.missingDirectory) {
      try RuntimeChoice(text, relativeTo: "/work")
    }
  }
}
