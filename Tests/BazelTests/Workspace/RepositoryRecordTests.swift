import Testing

@testable import Bazel

@Suite struct RepositoryRecordTests {
  @Test func `what Bazel 4 writes down is read`() {
    let record = RepositoryRecord(
      marker: """
        66b1bc7d9b3a439c906db2870477e6b9b39aec2f00606c6cc246b5745f033d2c
        STARLARK_SEMANTICS 0
        $MANAGED\u{20}
        ENV:FOO \\0
        FILE://:requirements.txt 87428fc5
        FILE://pk/deep:dir/lock.txt 02638299
        FILE:@ext//pk:f.txt 02638299
        """)
    #expect(
      record.inputs == [
        .file(.inRepository("", path: "requirements.txt")),
        .file(.inRepository("", path: "pk/deep/dir/lock.txt")),
        .file(.inRepository("ext", path: "pk/f.txt")),
      ])
  }

  @Test func `what Bazel 7 writes down is read`() {
    let record = RepositoryRecord(
      marker: """
        38ef31e3815576222e0ea36b40a34a08d4a5db384100db3daf3380a71ba20107
        DIRENTS:@@//listed daac01ea
        DIRTREE:@@//tree 4d999d76
        ENV:BAR \\0
        FILE:/etc/os-release dae00478
        FILE:@@//tree/sub\\sdir/x\\\\y.txt 4355a46b
        FILE:@@foo~//foo.txt b5bb9d80
        REPO_MAPPING:,bar foo~

        """)
    #expect(
      record.inputs == [
        .listing(.inRepository("", path: "listed")), .tree(.inRepository("", path: "tree")),
        .file(.absolute("/etc/os-release")),
        .file(.inRepository("", path: "tree/sub dir/x\\y.txt")),
        .file(.inRepository("foo~", path: "foo.txt")),
      ])
  }

  @Test func `what module extensions have read is found in the lock file`() {
    let record = RepositoryRecord(
      lockFile: """
        {"moduleExtensions": {"//:ext.bzl%ext": {"general": {
          "recordedFileInputs": {"@@//pk/go.sum": "abc", "@@foo+//x.txt": "def"},
          "recordedInputs": ["FILE:@@//lock.json 0123", "DIRENTS:@@//dir 45"],
          "url": "https://example.org/x"}}}}
        """)
    #expect(
      record.inputs == [
        .file(.inRepository("", path: "ext.bzl")),
        .file(.inRepository("", path: "pk/go.sum")),
        .file(.inRepository("foo+", path: "x.txt")),
        .file(.inRepository("", path: "lock.json")),
        .listing(.inRepository("", path: "dir")),
      ])
  }

  @Test(arguments: ["", "\n", "FILE:", "FILE: x", "FILE:// x", "FILE:relative x", "X://a:b c"])
  func `what is no input is passed over`(text: String) {
    #expect(RepositoryRecord(marker: text).inputs == [])
  }
}
