import Basics
import Testing

@testable import Runtimes

@Suite struct ContainerSpecTests {
  private func spec(
    config: [String: JSON] = [:], host: [String: JSON] = [:], networks: [String: JSON] = [:],
    mounts: [JSON] = [], image: [String: JSON] = [:]
  ) -> ContainerSpec {
    ContainerSpec(
      container: .object([
        "Id": .string("0123456789abcdef0123"), "Image": .string("sha256:old"),
        "Config": .object(config), "HostConfig": .object(host), "Mounts": .array(mounts),
        "NetworkSettings": .object(["Networks": .object(networks)]),
      ]), imageConfig: .object(image))
  }

  private func strings(_ texts: String...) -> JSON { .array(texts.map(JSON.string)) }

  @Test func `what came from the old image does not hide what the new one says`() {
    let spec = spec(
      config: [
        "Env": strings("OWN=1", "PATH=/bin"), "Cmd": strings("old"), "Entrypoint": .null,
        "User": .string("app"), "Labels": .object(["own": .string("1"), "v": .string("1")]),
        "WorkingDir": .string("/own"),
      ],
      image: [
        "Env": strings("PATH=/bin"), "Cmd": strings("old"), "Entrypoint": .null,
        "User": .string("app"), "Labels": .object(["v": .string("1")]),
        "WorkingDir": .string("/app"),
      ])
    let body = spec.creation(from: "lab/app:dev")
    #expect(body["Image"] == .string("lab/app:dev"))
    #expect(body["Env"] == strings("OWN=1"))
    #expect(body["Cmd"] == nil)
    #expect(body["User"] == nil)
    #expect(body["Labels"] == .object(["own": .string("1")]))
    #expect(body["WorkingDir"] == .string("/own"))
  }

  @Test func `a command of the user's stays`() {
    let spec = spec(
      config: ["Cmd": strings("mine"), "Entrypoint": strings("/run")],
      image: ["Cmd": strings("old"), "Entrypoint": strings("/run")])
    #expect(spec.creation(from: "x")["Cmd"] == strings("mine"))
    #expect(spec.creation(from: "x")["Entrypoint"] == nil)
  }

  @Test func `a host name by default is the new container's own, one of the user's stays`() {
    #expect(
      spec(config: ["Hostname": .string("0123456789ab")]).creation(from: "x")["Hostname"] == nil)
    #expect(
      spec(config: ["Hostname": .string("shop")]).creation(from: "x")["Hostname"] == .string("shop")
    )
    let onHost = spec(
      config: ["Hostname": .string("vm")], host: ["NetworkMode": .string("host")])
    #expect(onHost.creation(from: "x")["Hostname"] == nil)
  }

  @Test func `it is in the same networks by the same names, the one that it was made in first`() {
    let spec = spec(
      host: ["NetworkMode": .string("shop")],
      networks: [
        "back": .object([
          "Aliases": strings("db", "0123456789ab"), "IPAddress": .string("10.0.0.2"),
        ]),
        "shop": .object(["Aliases": strings("web"), "IPAMConfig": .null]),
      ])
    #expect(spec.endpoints.map(\.network) == ["shop", "back"])
    #expect(
      spec.endpoints.map(\.settings) == [
        .object(["Aliases": strings("web")]), .object(["Aliases": strings("db")]),
      ])
    #expect(
      spec.creation(from: "x")["NetworkingConfig"]
        == .object(["EndpointsConfig": .object(["shop": .object(["Aliases": strings("web")])])]))
  }

  @Test func `limits have the names that engines take`() {
    let shown = JSON.object(["Name": .string("RLIMIT_NOFILE"), "Soft": .integer(7)])
    let given = spec(host: ["Ulimits": .array([shown])]).creation(from: "x")["HostConfig"]?[
      "Ulimits"]
    #expect(given == .array([.object(["Name": .string("nofile"), "Soft": .integer(7)])]))
  }

  @Test func `volumes that nobody named go along`() {
    let mount: [String: JSON] = [
      "Type": .string("volume"), "Name": .string("5f2a"), "Destination": .string("/data"),
    ]
    let named: [String: JSON] = [
      "Type": .string("volume"), "Name": .string("shop"), "Destination": .string("/shop"),
    ]
    let spec = spec(
      host: ["Binds": strings("shop:/shop")], mounts: [.object(mount), .object(named)])
    #expect(
      spec.creation(from: "x")["HostConfig"]?["Binds"] == strings("shop:/shop", "5f2a:/data"))
  }

  private static let conflicts: [(host: [String: JSON], mounts: [JSON], told: String?)] = [
    ([:], [], nil),
    (
      ["PortBindings": .object(["80/tcp": .array([.object(["HostPort": .string("8080")])])])], [],
      "a published port"
    ),
    // The engine finds a free one.
    (["PortBindings": .object(["80/tcp": .array([.object(["HostPort": .string("")])])])], [], nil),
    (["NetworkMode": .string("host")], [], "the host's network"),
    (["NetworkMode": .string("container:abc")], [], "another container's network"),
    ([:], [.object(["RW": .bool(true), "Type": .string("bind")])], "a writable mount"),
    ([:], [.object(["RW": .bool(false), "Type": .string("bind")])], nil),
  ]

  @Test(arguments: conflicts.indices)
  func `what two can't have at once is known`(index: Int) {
    let row = Self.conflicts[index]
    #expect(spec(host: row.host, mounts: row.mounts).conflict == row.told)
  }

  @Test func `frames of a container's words are taken off, and words without any stay`() {
    let frame: [UInt8] = [1, 0, 0, 0, 0, 0, 0, 4] + Array("one\n".utf8)
    let other: [UInt8] = [2, 0, 0, 0, 0, 0, 0, 3] + Array("two".utf8)
    #expect(ContainerLog.lines(frame + other) == ["one", "two"])
    #expect(ContainerLog.lines(Array("plain\nwords".utf8)) == ["plain", "words"])
    // A frame that is cut short.
    #expect(ContainerLog.lines([1, 0, 0, 0, 0, 0, 0, 9] + Array("cut".utf8)) == ["cut"])
    #expect(ContainerLog.lines([]) == [])
  }
}
