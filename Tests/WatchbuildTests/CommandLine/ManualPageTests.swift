import ArgumentParser
import Testing

@testable import watchbuild

struct ManualPageTests {
  private func page() throws -> [String] {
    ManualPage(of: try CommandTree(of: Watchbuild.self), version: "1.2.3").lines
  }

  @Test func `the page has every command that help lists, and no hidden one`() throws {
    let commands = try CommandTree(of: Watchbuild.self).subcommands ?? []
    let sections = Set(try page().filter { $0.hasPrefix(".SS ") })
    for command in commands where command.commandName != "help" {
      #expect(
        sections.contains(".SS watchbuild \(command.commandName)")
          == (command.shouldDisplay != false),
        "\(command.commandName)")
    }
  }

  @Test func `the page has every option of every command`() throws {
    let text = try page().joined(separator: "\n")
    for option in try CommandTree(of: Watchbuild.self).allOptions
    where option.shouldDisplay != false {
      for name in option.longNames {
        let positive =
          name.hasPrefix("--no-") ? String(name.dropFirst(5)) : String(name.dropFirst(2))
        let isThere = ["--\(name.dropFirst(2))", "--[no-]\(positive)"]
          .contains { text.contains(Roff.escaped($0)) }
        #expect(isThere, "\(name)")
      }
    }
  }

  @Test func `an option of every command stands once`() throws {
    let lines = try page()
    #expect(lines.filter { $0.contains(Roff.bold("--directory")) }.count == 1)
  }

  @Test func `text that looks like a request or an escape is text`() {
    #expect(Roff.escaped(".bazelrc") == "\\&.bazelrc")
    #expect(Roff.escaped("a\\b -c") == "a\\eb \\-c")
  }
}
