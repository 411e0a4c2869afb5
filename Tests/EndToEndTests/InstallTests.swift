import Foundation
import SystemPackage
import TestSupport
import Testing

/// `make install`, by the script behind it, into a directory of the test's own.
struct InstallTests {
  private let scratch: TemporaryDirectory

  private var script: String { WatchbuildProcess.packageDirectory.path + "/scripts/install" }
  private var destination: String { scratch.path.string + "/destination" }

  init() throws {
    scratch = try TemporaryDirectory()
    try Tool.run(script, [WatchbuildProcess.executable.path, destination, "/usr"])
  }

  private func files() throws -> Set<String> {
    Set(
      try Tool.run("find", [destination, "-type", "f", "-printf", "/%P\n"])
        .split(separator: "\n").map(String.init))
  }

  @Test func `all is there, and uninstall leaves nothing`() throws {
    #expect(
      try files() == [
        "/usr/bin/watchbuild", "/usr/share/man/man1/watchbuild.1",
        "/usr/lib/systemd/user/watchbuild@.service",
        "/usr/share/bash-completion/completions/watchbuild",
        "/usr/share/zsh/site-functions/_watchbuild",
        "/usr/share/fish/vendor_completions.d/watchbuild.fish",
      ])
    let unit = try String(
      contentsOfFile: destination + "/usr/lib/systemd/user/watchbuild@.service", encoding: .utf8)
    #expect(unit.contains("ExecStart=/usr/bin/watchbuild dev"))
    try Tool.run(script, ["--remove", destination, "/usr"])
    #expect(try files().isEmpty)
  }

  @Test func `bash completes commands and options`() throws {
    let completion = """
      source '\(destination)/usr/share/bash-completion/completions/watchbuild'
      COMP_WORDS=(watchbuild $1) COMP_CWORD=$2 COMP_LINE="watchbuild $1" COMP_POINT=${#COMP_LINE}
      PATH='\(destination)/usr/bin':$PATH
      _watchbuild watchbuild "${COMP_WORDS[$2]}" "${COMP_WORDS[$2 - 1]}"
      printf '%s\\n' "${COMPREPLY[@]}"
      """
    let commands = try Tool.run("bash", ["-c", completion, "bash", "st", "1"])
    #expect(Set(commands.split(separator: "\n")) == ["status", "stop"])
    let options = try Tool.run("bash", ["-c", completion, "bash", "dev --deb", "2"])
    #expect(options.split(separator: "\n") == ["--debounce"])
  }

  @Test func `the man page is one`() throws {
    let page = try Tool.run(
      "man", ["--warnings", "-l", destination + "/usr/share/man/man1/watchbuild.1"])
    #expect(page.contains("watchbuild - keep the container images of a Bazel workspace up to date"))
    // Warnings would stand in the same output.
    #expect(!page.contains("warning:"))
  }
}
