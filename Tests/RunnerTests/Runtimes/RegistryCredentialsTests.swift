import SystemPackage
import TestSupport
import Testing

@testable import Runner

@Suite struct RegistryCredentialsTests {
  private func login(
    _ host: String, _ text: String,
    _ script: @escaping ScriptedRunner.Script = { _, _ in .exited(1) }
  ) async throws -> RegistryCredentials.Login? {
    try await withScratchDirectory { directory in
      let path = directory.appending("config.json")
      try path.write(Array(text.utf8))
      return try await RegistryCredentials(files: [path], runner: ScriptedRunner(script))
        .login(for: host)
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

  @Test(arguments: ["", "{}", #"{"auths":{"other":{"auth":"bGFiOmE6Yg=="}}}"#, "[1]"])
  func `without a login there is none`(text: String) async throws {
    #expect(try await login("reg.example", text) == nil)
  }

  @Test func `a helper is asked, the one of the registry before the general one`() async throws {
    let text = #"{"credsStore":"general","credHelpers":{"reg.example":"special"}}"#
    let login = try await login("reg.example", text) { command, output in
      #expect(command.argv == ["docker-credential-special", "get"])
      output(.standardOutput(Array(#"{"ServerURL":"x","Username":"u","Secret":"s"}"#.utf8)))
      return .exited(0)
    }
    #expect(login == .init(name: "u", password: "s", identityToken: nil))
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
    #expect(address.isLocal)
    #expect(try !#require(RegistryAddress("registry.example.com")).isLocal)
  }
}
