import SystemPackage
import Testing

@testable import Runtimes

@Suite struct RuntimeKindTests {
  @Test func `no two kinds share a word, and a usage begins with it`() {
    #expect(Set(RuntimeChoice.words).count == RuntimeKind.all.count)
    for kind in RuntimeKind.all { #expect(kind.usage.hasPrefix(kind.word)) }
  }

  @Test func `help has all that may be written`() {
    #expect(
      RuntimeChoice.help
        == "docker, podman, containerd[:NAMESPACE[@SOCKET]], kind[:CLUSTER], k3d[:CLUSTER], "
        + "minikube[:PROFILE], registry:HOST[/PREFIX], oci:DIR, none or auto")
  }

  @Test func `an error names all words, with what they can't be without`() {
    #expect(
      RuntimeChoiceError.unknown("x").description
        == "'x' is none of docker, podman, containerd, kind, k3d, minikube, registry:HOST, oci:DIR, "
        + "none, auto")
  }

  @Test(arguments: RuntimeKind.all.map(\.word))
  func `a word alone is a choice unless it needs a value`(word: String) throws {
    let kind = try #require(RuntimeKind.all.first { $0.word == word })
    let choice = try? RuntimeChoice(word, relativeTo: "/work")
    #expect((choice == nil) == kind.needsValue)
    #expect(choice?.description ?? word == word)
  }

  @Test func `auto asks a cluster first, and ends with what always answers`() {
    let ranked = RuntimeKind.all.filter { $0.answers != nil }
      .sorted { ($0.answers?.rank ?? 0) < ($1.answers?.rank ?? 0) }.map(\.word)
    #expect(Set(ranked.prefix(3)) == ["kind", "k3d", "minikube"])
    #expect(ranked.suffix(3) == ["docker", "podman", "oci"])
  }
}
