import ArgumentParser

/// `watchbuild manual`: prints the man page. `make install` calls it; no help lists it.
struct ManualCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "manual", abstract: "Print the man page.", shouldDisplay: false)

  func run() throws {
    let page = ManualPage(of: try CommandTree(of: Watchbuild.self), version: watchbuildVersion)
    try OutputStream.standardOutput.write(lines: page.lines)
  }
}
