import Testing

@testable import Runtimes

@Suite struct TemporaryNameTests {
  private let own = TemporaryName(number: 1)

  @Test func `a name is read as it was written, and differs for each load and run`() {
    #expect(TemporaryName(own.text) == own)
    #expect(own.isOurs)
    #expect(TemporaryName(number: 2).text != own.text)
    #expect(TemporaryName.run.count == 32)
    // A tag has at most 128 characters.
    #expect(own.text.utf8.count <= 100)
  }

  @Test(arguments: ["", "4711-1-abc", "4711-dead", "a-b-c-d-e", "latest"])
  func `names of another kind are nobody's to take back`(text: String) {
    #expect(TemporaryName(text) == nil)
  }

  @Test func `where numbers mean the same, a name is abandoned with its process`() {
    #expect(own.isAbandoned(isRunning: { _ in false }))
    #expect(!own.isAbandoned(isRunning: { _ in true }))
  }

  @Test func `elsewhere, as in a container with this machine's socket, only its age tells`() {
    let later = own.time + 24 * 3600
    #expect(!own.isAbandoned(at: later, place: "elsewhere", isRunning: { _ in false }))
    #expect(own.isAbandoned(at: later + 1, place: "elsewhere", isRunning: { _ in true }))
    #expect(own.isAbandoned(at: later + 1, isRunning: { _ in true }))
    #expect(!own.isAbandoned(at: own.time - 100_000, place: "elsewhere", isRunning: { _ in false }))
  }
}
