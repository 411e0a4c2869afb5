import SystemPackage
import Testing
import Watcher

@testable import Batching
@testable import Graph
@testable import Runner

struct PassingFilesTests {
  private func batch(_ kind: FileChange.Kind, _ sightings: Sighting...) -> Batch {
    Batch(
      cause: .change, changes: [FileChange(path: "/w/data/x~", kind: kind)], sightings: sightings)
  }

  private func sighting(isDuring: Bool = false, precedes: Bool = false) -> Sighting {
    Sighting(
      path: "/w/data/x~", content: nil, isDuringCommand: isDuring, precedesCommand: precedes)
  }

  @Test func `a file that came before a command and went after it may have been seen`() {
    var files = PassingFiles()
    #expect(files.takeIn(batch(.created, sighting())) { _ in true } == [])
    files.commandBegins()
    #expect(files.takeIn(batch(.deleted, sighting())) { _ in true } == ["/w/data/x~"])
  }

  @Test(arguments: [(true, false), (false, true)])
  func `so may one that came and went in one batch, if a command ran or began meanwhile`(
    isDuring: Bool, precedes: Bool
  ) {
    var files = PassingFiles()
    let batch = batch(.deleted, sighting(isDuring: isDuring, precedes: precedes), sighting())
    #expect(files.takeIn(batch) { _ in true } == ["/w/data/x~"])
  }

  @Test func `one that no command met is of no concern`() {
    var files = PassingFiles()
    #expect(files.takeIn(batch(.created, sighting())) { _ in true } == [])
    #expect(files.takeIn(batch(.deleted, sighting())) { _ in true } == [])
  }
}
