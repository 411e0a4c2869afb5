import Runtimes
import SystemPackage
import Testing

@Suite struct RuntimeChoiceTests {
  @Test(arguments: [
    ("auto", RuntimeChoice.auto), ("docker", .docker), ("none", .none), ("podman", .podman),
    ("containerd", .containerd(namespace: nil, address: nil)),
    ("containerd:k8s.io", .containerd(namespace: "k8s.io", address: nil)),
    ("containerd:moby@c.sock", .containerd(namespace: "moby", address: "/work/c.sock")),
    ("containerd:@/run/c.sock", .containerd(namespace: nil, address: "/run/c.sock")),
    ("kind", .cluster(.kind, nil)), ("kind:dev", .cluster(.kind, "dev")),
    ("k3d:dev", .cluster(.k3d, "dev")), ("minikube", .cluster(.minikube, nil)),
    ("oci:/srv/images", .store("/srv/images")), ("oci:out/images", .store("/work/out/images")),
    ("oci:../images", .store("/images")), ("oci:/a:b", .store("/a:b")),
  ])
  func `a choice is understood`(text: String, expected: RuntimeChoice) throws {
    let choice = try RuntimeChoice(text, relativeTo: "/work")
    #expect(choice == expected)
    #expect(try RuntimeChoice(choice.description, relativeTo: "/work") == expected)
  }

  @Test(arguments: ["kind:", "kind:--help", "containerd:", "containerd:@", "k3d:a b"])
  func `what a tool could take for something else is refused`(text: String) {
    #expect(throws: RuntimeChoiceError.invalidName(text)) {
      try RuntimeChoice(text, relativeTo: "/work")
    }
  }

  @Test(arguments: ["", "dokcer", "docker:x", "podman:x", "none:", ":", "OCI:/x"])
  func `anything else is not known`(text: String) {
    #expect(throws: RuntimeChoiceError.unknown(text)) {
      try RuntimeChoice(text, relativeTo: "/work")
    }
  }

  @Test(arguments: [
    "localhost:5000", "localhost:5000/team", "registry.example.com/a/b", "127.0.0.1:1",
  ])
  func `a registry is named by its host`(text: String) throws {
    let choice = try RuntimeChoice("registry:\(text)", relativeTo: "/work")
    #expect(choice == .registry(try #require(RegistryAddress(text))))
    #expect(choice.description == "registry:\(text)")
  }

  @Test(arguments: ["registry", "registry:", "registry:team", "registry:localhost:5000/UPPER"])
  func `a registry needs a host`(text: String) {
    #expect(throws: RuntimeChoiceError.missingHost) {
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
