import Graph
import SystemPackage
import Testing

@testable import Runner

struct HeldUpByTests {
  private func heldUp() throws -> HeldUpBy {
    let key = BatchKey(workspace: "/w")
    let targets = try ["web", "cart"].map { name in
      ImageTarget(name: name, label: try #require(Label("//services/\(name):image")), key: key)
    }
    return HeldUpBy(targets: targets)
  }

  @Test func `without an index a mistake in a package holds up its images`() throws {
    let heldUp = try heldUp()
    #expect(heldUp.images(dependingOn: "services/web/BUILD", among: ["web", "cart"]) == ["web"])
    #expect(heldUp.images(dependingOn: "lib/BUILD", among: ["web", "cart"]) == [])
  }

  @Test func `an image that the cycle is not about is held up by nothing`() throws {
    #expect(try heldUp().images(dependingOn: "services/web/BUILD", among: ["cart"]) == [])
  }

  @Test func `an action's words name a file`() throws {
    #expect(
      try heldUp().images(named: "Compiling services/cart/main.c", among: ["cart"]) == ["cart"])
    #expect(try heldUp().images(named: "Stamping", among: ["cart"]) == [])
  }
}
