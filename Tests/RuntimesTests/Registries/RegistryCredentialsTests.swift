import Basics
import SystemPackage
import TestSupport
import Testing

@testable import Images
@testable import Processes
@testable import Runtimes

@Suite struct RegistryCredentialsTests {
  private func login(
    _ host: String, _ text: String,
    _ script: @escaping ScriptedRunner.Script = { _, _ in .exited(1) }
  ) async throws -> RegistryCredentials.Login? {
    try await withScratchDirectory { directory in
      let path = directory.appending("config.json")
      try path.write(Array(text.utf8))
      // A clock that stands still: a helper may answer as late as a busy machine lets it.
      return try await RegistryCredentials(
        files: [path], runner: ScriptedRunner(script), clock: ManualClock()
      ).login(for: host)
    }
  }

  @Test(arguments: [
    #"{"auths":{"reg.example":{"auth":"bGFiOmE6Yg=="}}}"#,
    #"{"auths":{"https://reg.example/v2/":{"auth":"bGFiOmE6YgAA"}}}"#,
    #"{"auths":{"reg.example":{"username":"lab","password":"a:b"}}}"#,
  ])
  func `a login is read from docker's file`(text: String) async throws {
    let login = try await login("reg.example", text)
    #expect(login?.name == "lab")
    #expect(login?.password == "a:b")
    #expect(login?.basic == "Basic bGFiOmE6Yg==")
  }

  @Test(arguments: [
    "", "{}", #"{"auths":{"other":{"auth":"bGFiOmE6Yg=="}}}"#, #"{"auths":{"reg.example":{}}}"#,
  ])
  func `without a login there is none`(text: String) async throws {
    #expect(try await login("reg.example", text) == nil)
  }

  @Test(arguments: ["[1]", "not JSON: sesame", #"{"auths":{"reg.example":{"auth":"sesame"}}}"#])
  func `a file that is broken is told, and nothing of what is in it`(text: String) async throws {
    let problem = await #expect(throws: RegistryCredentials.Problem.self) {
      try await login("reg.example", text)
    }
    #expect(problem?.message.contains("/config.json") == true)
    #expect(problem?.message.contains("sesame") == false)
  }

  @Test func `a login that is found makes up for a helper that is not`() async throws {
    try await withScratchDirectory { directory in
      let (docker, podman) = (directory.appending("docker"), directory.appending("podman"))
      try docker.write(Array(#"{"credsStore":"desktop"}"#.utf8))
      try podman.write(Array(#"{"auths":{"reg.example":{"auth":"bGFiOmE6Yg=="}}}"#.utf8))
      let runner = ScriptedRunner { _, _ in throw CommandError.notFound("docker-credential-desktop")
      }
      let login = try await RegistryCredentials(
        files: [docker, podman], runner: runner, clock: ManualClock()
      ).login(for: "reg.example")
      #expect(login?.source == podman.string)
    }
  }

  @Test func `a helper's patience is the clock's`() async throws {
    let clock = ManualClock()
    let runner = ScriptedRunner { _, _ in
      try await clock.pause(for: .seconds(1000))
      return .exited(0)
    }
    try await withScratchDirectory { directory in
      let path = directory.appending("config.json")
      try path.write(Array(#"{"credsStore":"asleep"}"#.utf8))
      let credentials = RegistryCredentials(
        files: [path], runner: runner, patience: .seconds(60), clock: clock)
      async let login = credentials.login(for: "reg.example")
      await clock.waitForSleepers(2)
      clock.advance(by: .seconds(60))
      do {
        _ = try await login
        Issue.record("it waited")
      } catch let problem as RegistryCredentials.Problem {
        #expect(problem.message.hasSuffix("has not answered for 60 s"))
      }
    }
  }

  @Test func `a login's description has no secret in it`() {
    let login = RegistryCredentials.Login(
      name: "lab", password: "sesame", identityToken: nil, source: "/etc/config.json")
    let token = RegistryCredentials.Login(
      name: "", password: "", identityToken: "sesame", source: "pass")
    #expect("\(login)" == "login 'lab' from /etc/config.json")
    #expect("\(token)" == "identity token from pass")
  }

  @Test func `a helper is asked, the one of the registry before the general one`() async throws {
    let text = #"{"credsStore":"general","credHelpers":{"reg.example":"special"}}"#
    let login = try await login("reg.example", text) { command, output in
      #expect(command.argv == ["docker-credential-special", "get"])
      output(.standardOutput(Array(#"{"ServerURL":"x","Username":"u","Secret":"s"}"#.utf8)))
      return .exited(0)
    }
    #expect(login?.name == "u")
    #expect(login?.password == "s")
    #expect(login?.source.hasPrefix("docker-credential-special (") == true)
    let token = try await self.login("other", text) { _, output in
      output(.standardOutput(Array(#"{"Username":"<token>","Secret":"t"}"#.utf8)))
      return .exited(0)
    }
    #expect(token?.identityToken == "t")
  }

  @Test(arguments: [
    (#"Basic realm="lab""#, RegistryChallenge.basic),
    (
      #"Bearer realm="https://auth.example/token?x=1",service="reg, 1",scope="a,b""#,
      .bearer(realm: "https://auth.example/token?x=1", service: "reg, 1")
    ),
    (
      #"Bearer realm="https://a/t",error="invalid_token""#,
      .bearer(realm: "https://a/t", service: nil, rejectsToken: true)
    ),
    (
      #"Bearer realm="https://a/t",error="insufficient_scope""#,
      .bearer(realm: "https://a/t", service: nil)
    ),
    ("bearer realm=https://a/t", .bearer(realm: "https://a/t", service: nil)),
  ])
  func `a challenge is understood`(header: String, expected: RegistryChallenge) {
    #expect(RegistryChallenge(header) == expected)
  }

  @Test(arguments: ["", "Negotiate", "Bearer service=\"x\"", "Digest realm=\"x\""])
  func `another challenge is none of ours`(header: String) {
    #expect(RegistryChallenge(header) == nil)
  }

  @Test func `an image's own registry is left out, ours goes before`() throws {
    let address = try #require(RegistryAddress("localhost:5000/team"))
    for (name, repository) in [
      ("api:dev", "team/api"), ("lab/api:dev", "team/lab/api"),
      ("registry.local/lab/api:dev", "team/lab/api"), ("localhost/api:dev", "team/api"),
    ] {
      #expect(try address.repository(of: #require(ImageReference(name))) == repository)
    }
  }
}
