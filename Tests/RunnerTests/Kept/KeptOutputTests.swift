import Basics
import Bazel
import SystemPackage
import TestSupport
import Testing

@testable import Runner

struct KeptOutputTests {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  private var runs: PrivateDirectory { PrivateDirectory(directory.path) }

  private func output(_ text: String) -> ActionOutput {
    ActionOutput(target: nil, title: "//a:lib (Compile) failed", text: text, isFailure: true)
  }

  private func text(of image: String?, cycle: Int? = nil) throws -> String? {
    try KeptOutput.log(of: image, cycle: cycle, in: runs)
      .map { "\($0.cycle): " + String(decoding: $0.text, as: UTF8.self) }
  }

  @Test func `what was printed is found by image and by cycle`() throws {
    let kept = KeptOutput(in: runs)
    kept.add("ERROR: one", cycle: 1)
    kept.add(output("a.c:1: no"), for: ["api", "a/b"], cycle: 1)
    kept.add("ERROR: two", cycle: 2)
    #expect(try text(of: nil) == "2: ERROR: two\n")
    #expect(try text(of: nil, cycle: 1) == "1: ERROR: one\n")
    #expect(try text(of: "api") == "1: //a:lib (Compile) failed:\na.c:1: no\n")
    #expect(try text(of: "a/b") == "1: //a:lib (Compile) failed:\na.c:1: no\n")
    #expect(try text(of: "web") == nil)
    #expect(try text(of: "api", cycle: 2) == nil)
    #expect(try KeptOutput.cycles(in: runs) == [1, 2])
  }

  @Test func `an image whose name begins another's has its own`() throws {
    let kept = KeptOutput(in: runs)
    kept.add(output("long"), for: ["api-v2"], cycle: 1)
    #expect(try text(of: "api") == nil)
    #expect(try text(of: "v2") == nil)
  }

  @Test func `the file of an image is named, else that of its cycle`() throws {
    let kept = KeptOutput(in: runs)
    #expect(kept.file(of: "api", cycle: 1) == nil)
    kept.add("ERROR: one", cycle: 1)
    #expect(kept.file(of: "api", cycle: 1)?.lastComponent?.string == "1.log")
    kept.add(output("no"), for: ["api"], cycle: 1)
    #expect(kept.file(of: "api", cycle: 1)?.lastComponent?.string == "1-api.log")
    #expect(kept.file(of: "api", cycle: 2) == nil)
  }

  @Test func `why an image failed is kept where no action printed anything`() throws {
    let kept = KeptOutput(in: runs)
    kept.add(failure: "no such target", of: "web", cycle: 1)
    kept.add(output("a.c:1: no"), for: ["api"], cycle: 1)
    kept.add(failure: "exit code 1", of: "api", cycle: 1)
    #expect(try text(of: "web") == "1: web failed: no such target\n")
    #expect(try text(of: "api") == "1: //a:lib (Compile) failed:\na.c:1: no\n")
  }

  @Test func `a file is cut at its limit, and says so`() throws {
    let kept = KeptOutput(in: runs, largestFile: 20, largestRun: 1000)
    for _ in 1...9 { kept.add("0123456789", cycle: 1) }
    #expect(try text(of: nil) == "1: 0123456789\n012345678\n… the rest was not kept\n")
  }

  @Test func `the oldest cycles go where a run keeps too much`() throws {
    let kept = KeptOutput(in: runs, largestFile: 1000, largestRun: 55)
    for cycle in 1...9 { kept.add("0123456789", cycle: cycle) }
    #expect(try KeptOutput.cycles(in: runs) == [5, 6, 7, 8, 9])
  }

  @Test func `the latest twenty cycles stay`() throws {
    let kept = KeptOutput(in: runs)
    for cycle in 1...25 { kept.add("line", cycle: cycle) }
    #expect(try KeptOutput.cycles(in: runs) == Array(6...25))
  }

  @Test func `nowhere to write is no failure`() throws {
    let nowhere = PrivateDirectory("/proc/no-such-directory")
    let kept = KeptOutput(in: nowhere)
    kept.add("line", cycle: 1)
    #expect(kept.file(of: nil, cycle: 1) == nil)
    #expect(try KeptOutput.log(of: nil, cycle: nil, in: nowhere) == nil)
  }
}
