import Basics
import Batching
import Graph
import Runner
import SystemPackage
import Testing

@Suite struct HalfSeenFilesTests {
  /// Looks at one file, as a batch has them: content, and `*` behind it where there may have been other in between.
  private func suspects(
    before: UInt64?, _ looks: (content: UInt64?, isRepeated: Bool)...
  ) -> [FilePath] {
    var files = HalfSeenFiles()
    let batch = Batch(
      cause: .change,
      sightings: looks.map {
        Sighting(
          path: "/w/x", content: $0.content.map { .hash($0) }, isRepeated: $0.isRepeated,
          isDuringCommand: true)
      })
    files.takeIn(batch, cycle: 1) { _ in before.map { .hash($0) } }
    return files.suspects
  }

  @Test func `content that comes back is suspect`() {
    #expect(suspects(before: 1, (2, false), (1, false)) == ["/w/x"])
    #expect(suspects(before: 1, (2, false), (3, false), (2, false)) == ["/w/x"])
  }

  @Test func `content that is new is not`() {
    #expect(suspects(before: 1, (2, false)) == [])
    #expect(suspects(before: 1, (2, false), (3, false)) == [])
    #expect(suspects(before: 1, (2, true)) == [])
  }

  @Test func `the same content is suspect only where there may have been another in between`() {
    #expect(suspects(before: 1, (1, true)) == ["/w/x"])
    #expect(suspects(before: 1, (1, false)) == [])
  }

  @Test func `what nobody looked at may have come back`() {
    #expect(suspects(before: nil, (2, false)) == [])
    #expect(suspects(before: nil, (2, false), (3, false)) == ["/w/x"])
    #expect(suspects(before: nil, (2, true)) == ["/w/x"])
    #expect(suspects(before: 1, (2, false), (nil, false)) == ["/w/x"])
  }

  @Test func `a build in peace settles it`() {
    var files = HalfSeenFiles()
    let look = Sighting(path: "/w/x", content: .hash(2), isDuringCommand: true)
    files.takeIn(Batch(cause: .change, sightings: [look]), cycle: 1) { _ in .hash(1) }
    files.built(in: 1) { _ in true }
    #expect(!files.isEmpty, "it changed in that very cycle")
    files.built(in: 2) { _ in false }
    #expect(!files.isEmpty, "what reads it was not built")
    files.built(in: 2) { _ in true }
    #expect(files.isEmpty)
  }
}
