import SystemPackage
import TestSupport
import Testing

@testable import Images
@testable import Runtimes

@Suite struct EngineChoiceTests {
  /// A directory as docker's own client keeps it.
  private struct Docker {
    var directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    func choice(_ environment: [String: String] = [:]) throws -> EngineChoice {
      try EngineChoice(
        environment: ["DOCKER_CONFIG": directory.path.string].merging(environment) { $1 })
    }

    func failure(_ environment: [String: String] = [:]) throws -> String {
      let error = #expect(throws: RuntimeError.self) { try choice(environment) }
      return try #require(error).description
    }

    /// - Returns: The directory for its certificates, relative to docker's own.
    @discardableResult
    func add(_ name: String, _ endpoint: String) throws -> String {
      let number = Digest(of: name.utf8).hexadecimal
      try directory.write(
        #"{"Name":"\#(name)","Metadata":{},"Endpoints":{"docker":\#(endpoint)}}"#,
        to: "contexts/meta/\(number)/meta.json")
      return "contexts/tls/\(number)/docker"
    }

    func addCertificates(in place: String) throws {
      let directory = try directory.makeDirectory(place)
      try Tool.run(
        "openssl",
        [
          "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
          "-days", "2", "-subj", "/CN=test", "-keyout", "\(directory)/key.pem", "-out",
          "\(directory)/cert.pem",
        ])
      try Tool.run("cp", ["\(directory)/cert.pem", "\(directory)/ca.pem"])
    }
  }

  private let docker: Docker

  init() throws { docker = try Docker() }

  @Test(arguments: [
    ("unix:///run/user/1000/docker.sock", EngineEndpoint.unix("/run/user/1000/docker.sock")),
    ("tcp://127.0.0.1:2376", .tcp(host: "127.0.0.1", port: 2376)),
    ("tcp://build-host", .tcp(host: "build-host", port: 2375)),
    ("tcp://[::1]:2375/", .tcp(host: "[::1]", port: 2375)),
    ("tcp://[::1]", .tcp(host: "[::1]", port: 2375)),
    ("http://127.0.0.1:2375", .tcp(host: "127.0.0.1", port: 2375)),
    ("ssh://build-host", .ssh("ssh://build-host")),
    ("ssh://me@build-host:22022", .ssh("ssh://me@build-host:22022")),
  ])
  func `an address is understood`(text: String, expected: EngineEndpoint) throws {
    #expect(try docker.choice(["DOCKER_HOST": text]).endpoint == expected)
  }

  @Test(arguments: [
    "npipe:////./pipe/docker", "unix://relative", "tcp://", "tcp://host:0", "tcp://host:99999",
    "tcp://host:x", "tcp://host/path", "/var/run/docker.sock", "ssh://", "ssh://me@",
    "ssh://-oProxyCommand=x", "ssh://me@-oProxyCommand=x", "ssh://:22",
  ])
  func `an address that is not supported is named, with what is`(text: String) throws {
    #expect(
      try docker.failure(["DOCKER_HOST": text])
        == "DOCKER_HOST=\(text) is not supported; give unix:///PATH, tcp://HOST:PORT or "
        + "ssh://[USER@]HOST[:PORT], or choose --load oci:DIR")
  }

  @Test func `where nothing names an engine it is the standard socket`() throws {
    for environment in [[:], ["DOCKER_HOST": "", "DOCKER_CONTEXT": ""]] {
      let choice = try docker.choice(environment)
      #expect(choice.endpoint == .unix("/var/run/docker.sock"))
      #expect(choice.description == "unix:///var/run/docker.sock")
    }
    #expect(try EngineChoice(environment: [:]).endpoint == .standard)
  }

  // MARK: Contexts

  @Test func `DOCKER_HOST comes before DOCKER_CONTEXT, and that before the configuration`() throws {
    try docker.add("one", #"{"Host":"unix:///one"}"#)
    try docker.add("two", #"{"Host":"unix:///two"}"#)
    try docker.directory.write(#"{"auths":{},"currentContext":"one"}"#, to: "config.json")
    let configuration = docker.directory.appending("config.json")
    #expect(
      try docker.choice().description
        == "unix:///one, by the docker context 'one' (\(configuration))")
    #expect(
      try docker.choice(["DOCKER_CONTEXT": "two"]).description
        == "unix:///two, by the docker context 'two' (DOCKER_CONTEXT)")
    #expect(try docker.choice(["DOCKER_CONTEXT": "default"]).endpoint == .standard)
    #expect(
      try docker.choice(["DOCKER_CONTEXT": "gone", "DOCKER_HOST": "unix:///three"]).description
        == "unix:///three, by DOCKER_HOST")
  }

  @Test func `docker's directory is in HOME unless DOCKER_CONFIG says otherwise`() throws {
    try docker.directory.write(#"{"currentContext":"x"}"#, to: ".docker/config.json")
    let error = #expect(throws: RuntimeError.self) {
      try EngineChoice(environment: ["HOME": docker.directory.path.string])
    }
    #expect(error?.message.contains("\(docker.directory.path)/.docker/contexts/meta/") == true)
  }

  @Test func `an unknown context is told with the file that would be it`() throws {
    let file =
      "\(docker.directory.path)/contexts/meta/\(Digest(of: "gone".utf8).hexadecimal)/meta.json"
    #expect(
      try docker.failure(["DOCKER_CONTEXT": "gone"])
        == "there is no docker context 'gone', which DOCKER_CONTEXT names: \(file) is missing; "
        + "'docker context ls' lists those that are there; set DOCKER_CONTEXT to one of them")
    try docker.directory.write(#"{"currentContext":"gone"}"#, to: "config.json")
    #expect(try docker.failure().hasSuffix("choose one: docker context use NAME"))
  }

  @Test(arguments: ["{", "[]", #"{"currentContext":1}"#])
  func `a configuration that can't be understood is told`(text: String) throws {
    let file = try docker.directory.write(text, to: "config.json")
    let failure = try docker.failure()
    #expect(failure.hasPrefix("\(file) does not tell the docker context: "))
    #expect(failure.hasSuffix("; mend the file, or set DOCKER_HOST or DOCKER_CONTEXT"))
  }

  @Test(arguments: ["", " \n", "{}", #"{"currentContext":""}"#])
  func `a configuration without a context is no mistake`(text: String) throws {
    try docker.directory.write(text, to: "config.json")
    #expect(try docker.choice().reason == nil)
  }

  @Test(arguments: [
    ("{", "not valid JSON"), (#"{"Endpoints":{}}"#, "it names no docker endpoint"),
    (#"{"Endpoints":{"docker":{"Host":""}}}"#, "it names no docker endpoint"),
    ("{}", "'Endpoints' is missing"),
  ])
  func `a context that can't be understood is told`(text: String, problem: String) throws {
    let number = Digest(of: "odd".utf8).hexadecimal
    let file = try docker.directory.write(text, to: "contexts/meta/\(number)/meta.json")
    let failure = try docker.failure(["DOCKER_CONTEXT": "odd"])
    #expect(failure.hasPrefix("the docker context 'odd' can't be read from \(file): \(problem); "))
    #expect(failure.contains("make it anew (docker context rm -f odd; "))
  }

  @Test func `a context at an address that is not supported is told`() throws {
    try docker.add("pipe", #"{"Host":"npipe:////./pipe/docker"}"#)
    #expect(
      try docker.failure(["DOCKER_CONTEXT": "pipe"]).hasPrefix(
        "the docker context 'pipe' is at npipe:////./pipe/docker, which is not supported; "))
  }

  @Test func `a file that may not be read is told`() throws {
    // Root may read everything; a directory in its place may be read by nobody.
    try docker.directory.makeDirectory("config.json")
    #expect(
      try docker.failure().hasPrefix("\(docker.directory.path)/config.json can't be read: "))
  }

  // MARK: TLS

  private let verified = ["DOCKER_HOST": "tcp://build", "DOCKER_TLS_VERIFY": "1"]

  @Test func `DOCKER_TLS_VERIFY takes the certificates of docker's directory`() throws {
    try docker.addCertificates(in: ".")
    let choice = try docker.choice(verified)
    #expect(choice.description == "tcp://build:2376 with TLS, by DOCKER_HOST")
    guard case .tls("build", 2376, let tls) = choice.endpoint else {
      Issue.record("\(choice.endpoint)")
      return
    }
    #expect(tls.verifies)
    #expect(tls.authorities.count == 1)
    #expect(tls.chain.count == 1)
  }

  @Test func `DOCKER_CERT_PATH is where else they are, and DOCKER_TLS verifies nothing`() throws {
    try docker.addCertificates(in: "elsewhere")
    var environment = verified
    environment["DOCKER_CERT_PATH"] = docker.directory.appending("elsewhere").string
    #expect(try docker.choice(environment).description.contains(" with TLS, by "))
    environment = ["DOCKER_HOST": "tcp://build:1", "DOCKER_TLS": "1"]
    #expect(
      try docker.choice(environment).description
        == "tcp://build:1 with TLS, its certificate not verified, by DOCKER_HOST")
  }

  @Test func `TLS without an address is at localhost, and a socket has none`() throws {
    try docker.addCertificates(in: ".")
    #expect(
      try docker.choice(["DOCKER_TLS_VERIFY": "1"]).description
        == "tcp://localhost:2376 with TLS, by DOCKER_TLS_VERIFY")
    #expect(
      try docker.choice(["DOCKER_TLS_VERIFY": "1", "DOCKER_HOST": "unix:///s"]).endpoint
        == .unix("/s"))
    #expect(
      try docker.choice(["DOCKER_TLS_VERIFY": "", "DOCKER_HOST": "tcp://h"]).endpoint
        == .tcp(host: "h", port: 2375))
  }

  @Test func `without ca.pem nothing can be verified`() throws {
    #expect(
      try docker.failure(verified)
        == "DOCKER_TLS_VERIFY is set, but there is no \(docker.directory.path)/ca.pem; put the "
        + "certificate of the engine's authority there, or set DOCKER_CERT_PATH")
  }

  @Test(arguments: [
    ("ca.pem", "holds no certificate in PEM form"),
    ("cert.pem", "holds no certificate in PEM form"),
    ("key.pem", "holds no private key in PEM form without a passphrase"),
  ])
  func `a file that is none is told`(name: String, problem: String) throws {
    try docker.addCertificates(in: ".")
    let file = try docker.directory.write("nothing of the kind", to: name)
    #expect(try docker.failure(verified).hasPrefix("\(file) \(problem); "))
  }

  @Test(arguments: [("cert.pem", "key.pem"), ("key.pem", "cert.pem")])
  func `half a pair is told`(absent: String, present: String) throws {
    try docker.addCertificates(in: ".")
    try Tool.run("rm", ["\(docker.directory.path)/\(absent)"])
    #expect(
      try docker.failure(verified).hasPrefix(
        "DOCKER_TLS_VERIFY is set, and \(docker.directory.path) has \(present), but no \(absent); ")
    )
  }

  @Test func `a certificate with another's key is told`() throws {
    try docker.addCertificates(in: ".")
    try docker.addCertificates(in: "other")
    try Tool.run("cp", ["\(docker.directory.path)/other/key.pem", "\(docker.directory.path)"])
    #expect(
      try docker.failure(verified).hasPrefix(
        "\(docker.directory.path): cert.pem and key.pem do not belong together; "))
  }

  @Test func `a context has TLS when it has certificates, or says not to verify`() throws {
    let named = ["DOCKER_CONTEXT": "prod", "DOCKER_TLS_VERIFY": "1"]
    let place = try docker.add("prod", #"{"Host":"tcp://prod:2376","SkipTLSVerify":false}"#)
    #expect(try docker.choice(named).endpoint == .tcp(host: "prod", port: 2376))
    try docker.addCertificates(in: place)
    #expect(
      try docker.choice(named).description
        == "tcp://prod:2376 with TLS, by the docker context 'prod' (DOCKER_CONTEXT)")
    #expect(try docker.choice(named).place == "tcp://prod:2376 (docker context 'prod')")
    try docker.add("lax", #"{"Host":"tcp://lax:2376","SkipTLSVerify":true}"#)
    #expect(
      try docker.choice(["DOCKER_CONTEXT": "lax"]).description.contains("not verified") == true)
  }
}
