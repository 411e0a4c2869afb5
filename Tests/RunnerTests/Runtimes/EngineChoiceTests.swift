import Runner
import SystemPackage
import Testing

@Suite struct EngineEndpointTests {
  @Test(arguments: [
    ("unix:///run/user/1000/docker.sock", EngineEndpoint.unix("/run/user/1000/docker.sock")),
    ("tcp://127.0.0.1:2376", .tcp(host: "127.0.0.1", port: 2376)),
    ("tcp://build-host", .tcp(host: "build-host", port: 2375)),
    ("tcp://[::1]:2375/", .tcp(host: "[::1]", port: 2375)),
    ("tcp://[::1]", .tcp(host: "[::1]", port: 2375)),
    ("http://127.0.0.1:2375", .tcp(host: "127.0.0.1", port: 2375)),
  ])
  func `an address is understood`(text: String, expected: EngineEndpoint) throws {
    #expect(try EngineEndpoint(environment: ["DOCKER_HOST": text]) == expected)
  }

  @Test func `without DOCKER_HOST it is the standard socket`() throws {
    #expect(try EngineEndpoint(environment: [:]) == .unix("/var/run/docker.sock"))
    #expect(try EngineEndpoint(environment: ["DOCKER_HOST": ""]) == .unix("/var/run/docker.sock"))
  }

  @Test(arguments: [
    "ssh://me@host", "npipe:////./pipe/docker", "unix://relative", "tcp://", "tcp://host:0",
    "tcp://host:99999", "tcp://host:x", "tcp://host/path", "/var/run/docker.sock",
  ])
  func `an address that is not supported is named, with what is`(text: String) {
    let error = #expect(throws: RuntimeError.self) {
      try EngineEndpoint(environment: ["DOCKER_HOST": text])
    }
    #expect(
      error?.description
        == "DOCKER_HOST=\(text) is not supported; give unix:///PATH or tcp://HOST:PORT, "
        + "or choose --load oci:DIR")
  }

  @Test func `an engine behind TLS is not asked without it`() {
    #expect(throws: RuntimeError.self) {
      try EngineEndpoint(environment: ["DOCKER_HOST": "tcp://h:2376", "DOCKER_TLS_VERIFY": "1"])
    }
  }
}
