import Foundation
import Glibc
import SystemPackage
import TestSupport
import Testing

/// The page of `dev --ui` in a real browser, beside a real Bazel.
@Suite(
  .serialized, .bazel, .timeLimit(.minutes(10)), .bazelServer(LoopScene.files),
  .enabled("chromedriver is not there") {
    Tool.exists("chromedriver") || Tool.isRequired
  })
struct DashboardTests {
  private let scene: ControlScene

  init() throws { scene = try ControlScene(#require(BazelServer.workspace)) }

  /// Starts `dev`, and gives the address that it prints.
  private func dev() async throws -> (dev: WatchbuildProcess, address: String) {
    let dev = try await scene.dev("--ui")
    let line = dev.errors.split(separator: "\n").first { $0.hasPrefix("dashboard: ") }
    return (dev, String(try #require(line).dropFirst("dashboard: ".count)))
  }

  @Test func `the page follows the run, through a broken cycle and a restart of dev`() async throws
  {
    let (dev, address) = try await dev()
    let browser = try await Browser()
    try browser.open(address)
    try await browser.wait(for: "document.title.startsWith('✓')")
    #expect(
      try browser.run("return location.search + document.querySelectorAll('.tile').length") == "1")

    try scene.save("BROKEN")
    try await browser.wait(for: "document.getElementById('word').textContent.includes('BROKEN')")
    try await browser.wait(
      for: "document.getElementById('errors').innerText.includes('it is broken')")
    try await browser.wait(for: "document.querySelector('.tile').innerText.includes('failed')")
    try scene.save("1")
    try await browser.wait(for: "document.title.startsWith('✓')")
    try await browser.wait(for: "document.getElementById('errors-section').hidden")

    // Keys do what the buttons do, and what the control socket does.
    try browser.press("p")
    try await browser.wait(for: "document.getElementById('pause-text').textContent === 'Resume'")
    #expect(try await scene.run("status").output.contains("paused"))
    try browser.press("p")
    try await browser.wait(for: "document.getElementById('pause-text').textContent === 'Pause'")

    // Why a file matters.
    try browser.run(
      """
      document.getElementById('why-path').value = 'w/in.txt';
      document.getElementById('why-form').requestSubmit();
      """)
    try await browser.wait(for: "document.getElementById('why').innerText.includes('w:image')")

    dev.signal(SIGKILL)
    _ = try await dev.exit()
    try await browser.wait(for: "document.getElementById('word').textContent === 'NO CONNECTION'")
    let (next, _) = try await self.dev()
    try await browser.wait(for: "document.title.startsWith('✓')")
    _ = try await next.interrupt()
    try await browser.end()
  }

  @Test func `names and words of others are text in the page`() async throws {
    let (dev, address) = try await dev()
    let browser = try await Browser()
    try browser.open(address)
    try await browser.wait(for: "document.title.startsWith('✓')")
    let name = "w/<img src=x onerror=alert(1)>.txt"
    try scene.workspace.write(name, "BROKEN")
    // The next test has the same workspace.
    defer { unlink("\(scene.workspace.root)/\(name)") }
    try await browser.wait(
      for: "document.getElementById('cycles').innerText.includes('<img src=x')")
    #expect(try browser.run("return document.querySelectorAll('img').length") == "0")
    _ = try await dev.interrupt()
    try await browser.end()
  }

  @Test func `another site's page reaches nothing, whatever it knows`() async throws {
    let (dev, address) = try await dev()
    let origin = String(address.prefix { $0 != "?" }.dropLast())
    let browser = try await Browser()
    // The browser has the cookie, as that of a user who has the page open.
    try browser.open(address)
    try await browser.wait(for: "document.title.startsWith('✓')")
    try browser.open("data:text/html,<title>attacker</title>")
    let cycles = dev.events.count { $0.type == "batch" }
    for path in ["/", "/events", "/log?image=w", "/?token=\(address.suffix(32))"] {
      let read = try browser.run(
        "return fetch('\(origin)\(path)', {credentials: 'include'}).then(a => a.text(), e => 'refused')"
      )
      #expect(read == "refused", "\(path)")
    }
    try browser.run(
      """
      return fetch('\(origin)/trigger', {method: 'POST', mode: 'no-cors', credentials: 'include', body: '{}'})
        .then(() => '', () => '')
      """)
    try browser.run(
      """
      const frame = document.createElement('iframe'); frame.src = '\(address)'; document.body.append(frame);
      return new Promise(done => { frame.onload = () => done(''); setTimeout(() => done(''), 3000) })
      """)
    #expect(
      try browser.run(
        "try { return String(frames[0].document.title) } catch (e) { return 'refused' }")
        == "refused")

    func status(_ arguments: String...) throws -> String {
      try Tool.run("curl", ["-s", "-o", "/dev/null", "-w", "%{http_code}"] + arguments)
    }
    #expect(try status("\(origin)/events") == "401")
    #expect(try status("-H", "Host: evil.example", "\(address)") == "403")
    #expect(
      try status(
        "-X", "POST", "-H", "Authorization: Bearer \(address.suffix(32))",
        "-H", "Origin: http://evil.example", "\(origin)/trigger") == "403")
    #expect(try await scene.run("wait").exit == 0)
    #expect(dev.events.count { $0.type == "batch" } == cycles)
    _ = try await dev.interrupt()
    try await browser.end()
  }
}
