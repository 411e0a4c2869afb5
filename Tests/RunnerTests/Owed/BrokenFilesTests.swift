import Testing

@testable import Bazel
@testable import Runner

@Suite struct BrokenFilesTests {
  private let mistake = Diagnostic(
    file: "lib/BUILD", line: 2, severity: .error, message: "syntax error at 'load'")

  private func missing(in file: String) -> Diagnostic {
    Diagnostic(
      file: "app/BUILD", line: 9, severity: .error,
      message: "no such target '//lib:l': target 'l' not declared in package 'lib' defined by "
        + "\(file) and referenced by '//app:image'")
  }

  @Test func `a target that a broken file does not define is no mistake of its own`() {
    var files = BrokenFiles()
    let isNews = files.takeIn(mistake)
    #expect(isNews)
    let isFollowing = !files.takeIn(missing(in: "/w/lib/BUILD"))
    #expect(isFollowing)
    #expect(files.cause(of: missing(in: "/w/lib/BUILD").message) == mistake)
  }

  @Test func `a target that a good file does not define is one`() {
    var files = BrokenFiles()
    let isNews = files.takeIn(mistake)
    #expect(isNews)
    for file in ["/w/other/BUILD", "/w/mylib/BUILD"] {
      let isOther = files.takeIn(missing(in: file))
      #expect(isOther)
    }
  }
}
