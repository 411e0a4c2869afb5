import Processes
import Runtimes
import SystemPackage
import TestSupport
import Testing

/// A real credential helper, docker-credential-pass, over a password store of the test's own.
@Suite(
  .enabled(
    if: Tool.isRequired
      || ["docker-credential-pass", "pass", "gpg", "docker-registry"].allSatisfy(Tool.exists),
    "needs docker-credential-pass (apt-get install golang-docker-credential-helpers pass gnupg)"))
struct CredentialHelperTests {
  /// Runs programs with variables of the test's.
  private struct Runner: CommandRunner {
    var environment: [String: String]

    func run(
      _ command: Command, input: CommandInput?, ending: ForcedEnd,
      output: @escaping @Sendable (CommandOutput) -> Void
    ) async throws -> CommandExit {
      var command = command
      command.environment.merge(environment) { $1 }
      return try await SubprocessRunner().run(
        command, input: input, ending: ending, output: output)
    }
  }

  /// Runs `body` with a password store that holds a login for the host.
  private func withStore<Value>(
    for host: String, _ body: (Runner) async throws -> Value
  ) async throws -> Value {
    try await withScratchDirectory { directory in
      let environment = [
        "GNUPGHOME": "\(directory)/gpg", "PASSWORD_STORE_DIR": "\(directory)/store",
      ]
      let variables = environment.map { "\($0)=\($1)" }
      func run(_ script: String) throws { try Tool.run("env", variables + ["sh", "-ec", script]) }
      // gpg starts an agent, which would outlive its directory.
      defer { try? run("gpgconf --kill gpg-agent") }
      try run(
        """
        mkdir -m 700 "$GNUPGHOME"
        gpg --batch --quiet --pinentry-mode loopback --passphrase '' \
          --quick-gen-key lab@example future-default default never
        pass init lab@example
        docker-credential-pass store <<'END'
        {"ServerURL":"\(host)","Username":"\(TestRegistry.user)","Secret":"\(TestRegistry.password)"}
        END
        """)
      return try await body(Runner(environment: environment))
    }
  }

  @Test func `pass keeps the login, for one registry or for all`() async throws {
    let registry = try await TestRegistry(guardedBy: .password)
    try await withStore(for: registry.host) { runner in
      try await DockerConfig.using { config in
        let push = RegistryPush(
          host: registry.host, environment: config.environment, runner: runner)
        try config.write(#"{"credHelpers":{"\#(registry.host)":"pass"}}"#)
        #expect(try await push(.named("helper"), as: "helper").layersSent == 2)
        // As docker leaves it beside its store.
        try config.write(#"{"auths":{"\#(registry.host)":{}},"credsStore":"pass"}"#)
        #expect(try await !push(.named("helper"), as: "helper").isChanged)
        // For another registry it has none.
        try config.write(#"{"credHelpers":{"\#(registry.host)":"pass"},"credsStore":"pass"}"#)
        var other = push
        other.host = registry.host.replacing("localhost", with: "127.0.0.1")
        let error = try await other.failure(.named("helper"), as: "helper")
        #expect(error.message.contains(" does not let us in: 401 Unauthorized"))
      }
    }
    try await registry.daemon.stop()
  }

  @Test func `a store that can't be opened is told by the helper's own words`() async throws {
    let registry = try await TestRegistry(guardedBy: .password)
    try await withStore(for: registry.host) { runner in
      try await DockerConfig.using { config in
        try config.write(#"{"credsStore":"pass"}"#)
        var locked = runner
        locked.environment["GNUPGHOME"] = "\(config.directory)/nothing"
        let push = RegistryPush(
          host: registry.host, environment: config.environment, runner: locked)
        let error = try await push.failure(.named("locked"), as: "locked")
        #expect(
          error.message.hasPrefix(
            "registry \(registry.host) wants a login, but the credential helper "
              + "docker-credential-pass, which \(config.path) names, fails: "), "\(error)")
        #expect(error.hint == "try it: echo HOST | docker-credential-pass get")
      }
    }
    try await registry.daemon.stop()
  }

  @Test func `helpers that are missing, ill or asleep are told apart`() async throws {
    let registry = try await TestRegistry(guardedBy: .password)
    try await DockerConfig.using { config in
      let helpers: [(name: String, script: String?, expected: String)] = [
        ("wb-missing", nil, "is not in PATH"),
        ("wb-rubbish", "echo sesame", "answers something else than a login"),
        (
          "wb-sick", #"echo sesame; printf 'no\033 key ring\nsesame\n' >&2; exit 3"#,
          "fails: no key ring"
        ),
        ("wb-dumb", "echo sesame; exit 3", "fails: exited(3)"),
        ("wb-asleep", "trap '' TERM; sleep 1000", "has not answered for 1 s"),
        ("../wb-path", nil, "is no program's name"),
      ]
      for (name, script, expected) in helpers {
        if let script {
          let path = config.directory.appending("script")
          try path.write(Array("#!/bin/sh\n\(script)\n".utf8))
          // Written by another process: one that forks from ours meanwhile would keep it "busy".
          try Tool.run(
            "install", ["-m", "755", path.string, "\(config.directory)/docker-credential-\(name)"])
        }
        try config.write(#"{"credsStore":"\#(name)"}"#)
        let push = RegistryPush(
          host: registry.host, environment: config.environment,
          runner: Runner(environment: ["PATH": "\(config.directory):/usr/bin:/bin"]),
          helperPatience: .seconds(name == "wb-asleep" ? 1 : 60))
        let error = try await push.failure(.named("ill"), as: "ill")
        #expect(
          error.message == "registry \(registry.host) wants a login, but the credential helper "
            + "docker-credential-\(name), which \(config.path) names, \(expected)")
        #expect(!"\(error)".contains("sesame"))
      }
    }
    try await registry.daemon.stop()
  }
}
