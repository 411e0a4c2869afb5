import Basics
import Foundation
import SystemPackage
import TestSupport
import Testing

/// The screen of `dev` in a real terminal: tmux's.
@Suite(.serialized, .bazel, .timeLimit(.minutes(10))) struct TerminalTests {
  private let store: Storefront
  private let screen: TmuxScreen

  init() async throws {
    store = try await Storefront()
    let home = store.root.removingLastComponent().string
    screen = try TmuxScreen(
      in: home,
      environment: [
        "PATH": "\(home)/bin:\(store.workspace.testBazel.searchPath)",
        "XDG_STATE_HOME": store.state.string,
        "DOCKER_HOST": "unix://\(home)/no-docker.sock",
        "CONTAINER_HOST": "unix://\(home)/no-podman.sock",
      ])
  }

  private func start() async throws {
    try screen.type(
      "cd '\(store.root)'; clear; '\(WatchbuildProcess.executable.path)' dev --load oci:../images")
    try await screen.wait(for: "first images") { $0.contains("● ALL 5 CURRENT") }
  }

  private func end() async {
    screen.end()
    await store.end()
  }

  /// Rows from the footer on.
  private func footer(_ rows: [String]) -> [String] {
    Array(rows.drop { !$0.hasPrefix("────") }.dropFirst())
  }

  @Test
  func `a start, a save, a broken library and its repair are seen, and keys do what they say`()
    async throws
  {
    do {
      try await start()
      let first = try screen.rows()
      #expect(first.contains { $0.contains("watchbuild ") && $0.contains("5 images → oci:") })
      #expect(first.contains { $0.contains(" ✓ start                   5 current (5 loaded)") })
      #expect(footer(first).last == "p pause · i images · t timings · c clear · ? help · q quit")
      #expect(try screen.title() == "ALL 5 CURRENT · watchbuild")

      try store.edit("services/cart/src/cart.routes") { $0 += "GET /x there\n" }
      try await screen.wait(for: "row of the save") { rows in
        rows.contains { $0.contains(" ✓ cart.routes             cart → storefront/cart:dev") }
      }

      let good = try String(contentsOfFile: "\(store.root)/lib/src/health.routes", encoding: .utf8)
      try store.edit("lib/src/health.routes") { $0 += "GRAB nope\n" }
      let broken = try await screen.wait(for: "what is broken") { rows in
        rows.contains { $0.hasPrefix("● 5 BROKEN: cart, catalog") }
      }
      #expect(
        broken.contains { $0.contains(" ✗ health.routes           5 of 5 held up by 1 error") })
      #expect(broken.contains { $0.hasPrefix("         lib/src/health.routes:4:1: expected") })
      #expect(
        footer(broken).contains { $0.hasPrefix("✗ cart, catalog, checkout +2 — 1 error since ") })
      try screen.press("c")
      try await screen.wait(for: "cleared screen") { rows in
        !rows.contains { $0.contains("held up by") } && rows.contains { $0.hasPrefix("● 5 BROKEN") }
      }
      try screen.press("e")
      try await screen.wait(for: "the errors again") { rows in
        rows.contains { $0.hasPrefix("         lib/src/health.routes:4:1: expected") }
      }
      try screen.press("l")
      try await screen.wait(for: "the compiler's words") { rows in
        rows.contains { $0.hasPrefix("── output of cart") }
      }

      try screen.press("p")
      try await screen.wait(for: "pause") { $0.contains("● PAUSED") }
      try store.workspace.write("lib/src/health.routes", good)
      try await screen.wait(for: "noted save") { $0.contains("● PAUSED · 1 save noted") }
      try screen.press("p")
      try await screen.wait(for: "mended images") { $0.contains("● ALL 5 CURRENT") }
      try screen.press("i")
      try await screen.wait(for: "list of images") { rows in
        rows.contains { $0.hasPrefix("✓ catalog   //services/catalog:image") }
      }
      try screen.press("q")
      try await screen.wait(for: "end") { $0.last == "shell$" }
      try screen.type("echo rc=$?; stty -a | grep -o '.icanon'; stty -a | grep -o ' echo '")
      let last = try await screen.wait(for: "the terminal's modes") { rows in
        rows.contains("rc=0") && rows.contains(" icanon") && rows.contains(" echo")
      }
      #expect(!last.contains { $0.hasPrefix("────") })
    } catch {
      await end()
      throw error
    }
    await end()
  }

  @Test func `a terminal is left in order by Ctrl-Z, a crash and Ctrl-C, and follows its size`()
    async throws
  {
    do {
      try await start()
      try screen.resize(columns: 50, rows: 24)
      try await screen.wait(for: "no keys where it is narrow") { $0.last == "✓ 5 of 5 current" }
      try screen.resize(columns: 80, rows: 8)
      try await screen.wait(for: "no footer where it is low") { rows in
        !rows.contains { $0.hasPrefix("● ") }
      }
      try screen.resize(columns: 80, rows: 24)
      try await screen.wait(for: "the footer") { $0.contains("● ALL 5 CURRENT") }

      try screen.press("C-z")
      let stopped = try await screen.wait(for: "the shell") { $0.last == "shell$" }
      #expect(!stopped.contains { $0.hasPrefix("● ") })
      try screen.type("stty -a | grep -o ' echo '; stty -a | grep -o 'susp = ..'")
      try await screen.wait(for: "the shell's modes") { rows in
        rows.contains(" echo") && rows.contains("susp = ^Z")
      }
      try screen.type("clear; fg")
      try await screen.wait(for: "the footer after fg") { $0.contains("● ALL 5 CURRENT") }
      try screen.press("?")
      try await screen.wait(for: "help, so that keys are read") { rows in
        rows.contains { $0.hasPrefix("q       quit") }
      }

      // As a crash ends it: the signal's own handler runs.
      try screen.type("")
      let lock = try Tool.run("find", [store.state.string, "-name", "dev.lock"]).split(
        separator: "\n")
      let pid = try String(contentsOfFile: String(try #require(lock.first)), encoding: .utf8)
        .trimmingCharacters(in: .whitespacesAndNewlines)
      try Tool.run("kill", ["-ABRT", pid])
      try await screen.wait(for: "the shell after a crash") { $0.last == "shell$" }
      try screen.type("clear; stty -a | grep -o ' echo '")
      try await screen.wait(for: "echo after a crash") { $0.contains(" echo") }

      try await start()
      try screen.press("C-c")
      try await screen.wait(for: "the shell after Ctrl-C") { $0.last == "shell$" }
      try screen.type("echo rc=$?; stty -a | grep -o ' echo '")
      try await screen.wait(for: "the exit code") { $0.contains("rc=130") && $0.contains(" echo") }
    } catch {
      await end()
      throw error
    }
    await end()
  }
}
