import SystemPackage
import Testing

@testable import Bazel

@Suite struct BazelRCTests {
  @Test(arguments: [
    ("import %workspace%/ci/shared.bazelrc", ["/w/ci/shared.bazelrc"]),
    ("import %workspace%/../shared.bazelrc", ["/shared.bazelrc"]),
    ("  try-import\t\"/etc/my rc\"  # ours", ["/etc/my rc"]),
    ("import 'a b/c'", ["/w/a b/c"]), (#"import a\ b"#, ["/w/a b"]),
    ("try-import ~/.bazelrc.mine", ["/home/me/.bazelrc.mine"]),
    ("try-import-if-bazel-version >=8.0.0 %workspace%/eight.bazelrc", ["/w/eight.bazelrc"]),
    ("imp\\\nort \\\r\n a.rc", ["/w/a.rc"]), ("# import a.rc", []), ("import", []),
    ("build --x=import", []), ("import a.rc#b", ["/w/a.rc"]),
  ])
  func `what a bazelrc imports is found as Bazel finds it`(text: String, paths: [String]) {
    let file = BazelRC(text, workspace: "/w", home: "/home/me")
    #expect(file.imports.map(\.string) == paths)
  }

  @Test func `its other lines are told word by word`() {
    let file = BazelRC(
      "build --platforms=//a:b --define='x=y z' # why\n\nstartup \\\n  --output_base=/x\n",
      workspace: "/w")
    #expect(
      file.lines == [
        ["build", "--platforms=//a:b", "--define=x=y z"], ["startup", "--output_base=/x"],
      ])
  }
}
