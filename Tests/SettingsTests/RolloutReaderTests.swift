import Basics
import Batching
import Graph
import SystemPackage
import Testing

@testable import Settings

@Suite struct RolloutReaderTests {
  private func read(_ text: String) throws(Problem) -> Configuration {
    try ConfigurationReader.read(text, file: "watchbuild.yaml", directory: "/w")
  }

  private func target(_ rollout: String) throws -> RolloutTarget? {
    let configuration = try read("images: [{ target: '//a:b', rollout: \(rollout) }]")
    guard case .target(let image)? = configuration.images.first else { return nil }
    return image.rollout
  }

  /// Known by that name.
  private static var hangup: SignalName { SignalName("HUP") ?? { preconditionFailure("no HUP") }() }

  private static let targets: [(String, RolloutTarget)] = [
    ("{ compose: web }", .compose(service: "web", files: [], project: nil)),
    (
      "{ compose: web, file: dev/compose.yaml, project: shop }",
      .compose(service: "web", files: ["/w/dev/compose.yaml"], project: "shop")
    ),
    ("{ container: shop-cart-1 }", .container("shop-cart-1")),
    (
      "{ kubernetes: deployment/api, container: app, namespace: dev }",
      .kubernetes(resource: "deployment/api", container: "app", namespace: "dev", context: nil)
    ),
    ("{ signal: SIGHUP, pidFile: run/app.pid }", .signal(hangup, pidFile: "/w/run/app.pid")),
    ("{ command: [./deploy.sh, '{ref}'] }", .command(["/w/deploy.sh", "{ref}"])),
    ("{ command: [kubectl, apply] }", .command(["kubectl", "apply"])),
    ("{ container: web, sync: true }", .synced(.container("web"), then: nil)),
    ("{ container: web, sync: false, then: { signal: HUP } }", .container("web")),
    (
      "{ compose: web, sync: true, then: { signal: HUP } }",
      .synced(.compose(service: "web", files: [], project: nil), then: .signal(hangup))
    ),
    (
      "{ container: web, sync: true, then: { command: [./reload.sh, '{image}'] } }",
      .synced(.container("web"), then: .command(["/w/reload.sh", "{image}"]))
    ),
  ]

  @Test(arguments: targets.indices)
  func `a rollout is read`(index: Int) throws {
    #expect(try target(Self.targets[index].0) == Self.targets[index].1)
  }

  private static let mistakes: [(String, String)] = [
    ("{}", "'rollout' does not say what is to be restarted"),
    ("{ composs: web }", "unknown key 'composs' (did you mean 'compose'?)"),
    ("{ compose: web, container: a }", "'container' and 'compose' can't stand side by side"),
    ("{ compose: web, namespace: a }", "'namespace' does not belong to 'compose'"),
    ("{ signal: HUP }", "'signal' has no 'pidFile'"),
    ("{ signal: HPU, pidFile: a }", "(did you mean 'HUP'?)"),
    ("{ command: ./deploy.sh }", "expected a list, found text"),
    ("{ command: [] }", "the command is empty"),
    ("{ kubernetes: api }", "'api' is no deployment/NAME"),
    ("{ container: web, then: { signal: HUP } }", "'then' has no 'sync' beside it"),
    ("{ container: web, sync: true, then: {} }", "'then' does not say how the program is told"),
    ("{ container: web, sync: true, then: { signal: HPU } }", "(did you mean 'HUP'?)"),
    ("{ container: web, sync: on it }", "expected true or false"),
    ("{ command: [a], sync: true }", "'sync' does not belong to 'command'"),
    ("web", "expected keys and values"),
  ]

  @Test(arguments: mistakes.indices)
  func `a mistake in a rollout is told`(index: Int) throws {
    let (text, told) = Self.mistakes[index]
    let problem = #expect(throws: Problem.self) { try target(text) }
    let messages = ([problem].compactMap(\.self) + (problem?.others ?? [])).map(\.description)
    #expect(messages.contains { $0.contains(told) }, "\(messages)")
  }

  @Test func `what holds for every rollout is read`() throws {
    let configuration = try read("rollout: { verify: loaded, timeout: 5s }")
    #expect(
      configuration.rollout == RolloutRule(verification: .loaded, timeout: .seconds(5)))
    #expect(try read("").rollout == RolloutRule(verification: .live, timeout: .seconds(60)))
    #expect(throws: Problem.self) { try read("rollout: { verify: lives }") }
    #expect(throws: Problem.self) { try read("rollout: { timeout: 0s }") }
  }

  @Test func `hooks are read`() throws {
    let configuration = try read(
      """
      images: [{ name: api, target: '//a:b' }]
      hooks:
        afterLoad: [{ run: [./smoke.sh], images: [api], timeout: 20s }]
        onFailure: [{ run: [notify-send, "{summary}"] }]
      """)
    #expect(
      configuration.hooks[.afterLoad]
        == [Hook(["/w/smoke.sh"], images: ["api"], timeout: .seconds(20))])
    #expect(configuration.hooks[.onFailure] == [Hook(["notify-send", "{summary}"])])
    #expect(configuration.hooks[.beforeBuild] == [])
  }

  private static let hookMistakes: [(String, String)] = [
    ("{ afterload: [] }", "unknown key 'afterload' (did you mean 'afterLoad'?)"),
    ("{ afterLoad: [{ images: [api] }] }", "the hook has no 'run'"),
    ("{ afterLoad: [{ run: [a], images: [apo] }] }", "(did you mean 'api'?)"),
    ("{ afterLoad: { run: [a] } }", "expected a list of hooks"),
    ("{ afterLoad: [{ run: [a], timeout: 5 }] }", "5"),
  ]

  @Test(arguments: hookMistakes.indices)
  func `a mistake in a hook is told`(index: Int) throws {
    let (text, told) = Self.hookMistakes[index]
    let problem = #expect(throws: Problem.self) {
      try read("images: [{ name: api, target: '//a:b' }]\nhooks: \(text)")
    }
    #expect(problem?.description.contains(told) == true, "\(String(describing: problem))")
  }
}
