import Glibc
import SystemPackage
import TestSupport
import Testing

@testable import Session

@Suite struct ControlSocketTests {
  private let scratch: TemporaryDirectory

  init() throws { scratch = try TemporaryDirectory() }

  private func place(_ directory: String = "watchbuild") -> ControlPlace {
    ControlPlace(directory: scratch.path.appending(directory), name: "w.sock")
  }

  private func mode(_ path: FilePath) -> mode_t? {
    var status = stat()
    return lstat(path.string, &status) == 0 ? status.st_mode & 0o7777 : nil
  }

  @Test func `socket and directory are for their owner alone`() async throws {
    try scratch.makeDirectory("watchbuild")
    try Tool.run("chmod", ["755", place().directory.string])
    let socket = try await ControlSocket.listen(at: place())
    #expect(mode(place().path) == 0o600)
    #expect(mode(place().directory) == 0o700)
    close(socket.descriptor)
    socket.remove()
    #expect(mode(place().path) == nil)
  }

  @Test func `what a dead process left is taken over`() async throws {
    let dead = try await ControlSocket.listen(at: place())
    // As the kernel does at a process's end: the file stays.
    close(dead.descriptor)
    let socket = try await ControlSocket.listen(at: place())
    let client = try ControlClient(places: [place()])
    #expect(client.process == getpid())
    dead.remove()
    #expect(mode(place().path) == 0o600, "the file is another's by now")
    close(socket.descriptor)
  }

  @Test func `a living one is not`() async throws {
    let living = try await ControlSocket.listen(at: place())
    defer { close(living.descriptor) }
    await #expect(throws: ControlSocket.Failure.living(place().path, process: getpid())) {
      try await ControlSocket.listen(at: place())
    }
    #expect(mode(place().path) == 0o600)
  }

  @Test func `of many that find a dead one, one takes it over`() async throws {
    let dead = try await ControlSocket.listen(at: place())
    close(dead.descriptor)
    let place = place()
    let sockets = await withTaskGroup(of: ControlSocket?.self) { group in
      for _ in 0..<8 { group.addTask { try? await ControlSocket.listen(at: place) } }
      return await group.reduce(into: [ControlSocket]()) {
        if let socket = $1 { $0.append(socket) }
      }
    }
    #expect(sockets.count == 1)
    #expect((try? ControlClient(places: [place])) != nil)
    for socket in sockets { close(socket.descriptor) }
  }

  /// Where a client with no runtime directory of its own finds a socket.
  private var found: [ControlPlace] {
    ControlPlace.reachable(for: "/w", state: scratch.path.appending("state"), environment: [:])
  }

  @Test func `clients with another runtime directory are led to the socket`() async throws {
    try scratch.makeDirectory("state")
    let socket = try await ControlSocket.listen(at: place(), signpostAt: found[0])
    #expect(found.last == place())
    #expect(try ControlClient(places: found).process == getpid())
    close(socket.descriptor)
    socket.remove()
    #expect(found.count == 1)
    #expect(try Tool.run("ls", ["-A", found[0].directory.string]) == "")
  }

  @Test func `a signpost that a dead process left is in nobody's way`() async throws {
    try scratch.makeDirectory("state")
    let other = found[0]
    let dead = try await ControlSocket.listen(at: place(), signpostAt: other)
    close(dead.descriptor)
    #expect(throws: ControlClient.Failure.nobody) { try ControlClient(places: found) }
    // The next one has no runtime directory, and the one after it another.
    let second = try await ControlSocket.listen(at: other, signpostAt: other)
    #expect(try ControlClient(places: found).process == getpid())
    close(second.descriptor)
    second.remove()
    let third = try await ControlSocket.listen(at: place("third"), signpostAt: other)
    #expect(try ControlClient(places: found).process == getpid())
    close(third.descriptor)
    dead.remove()
    #expect(found.last == place("third"), "it is the third's by now")
    third.remove()
    #expect(found.count == 1)
  }

  @Test(arguments: ["", "relative.sock\n", "/no/newline.sock"])
  func `what is no signpost leads nowhere`(text: String) throws {
    let directory = found[0].directory
    try Tool.run("mkdir", ["-p", directory.string])
    try directory.appending("\(found[0].name).path").write(Array(text.utf8))
    #expect(found.count == 1)
  }

  @Test func `a path longer than the kernel takes does`() async throws {
    let deep = String(repeating: "d", count: 100)
    try scratch.makeDirectory("\(deep)/\(deep)")
    let place = place("\(deep)/\(deep)/watchbuild")
    let socket = try await ControlSocket.listen(at: place)
    #expect(try ControlClient(places: [place]).process == getpid())
    close(socket.descriptor)
    socket.remove()
  }

  @Test func `what is no socket stays where it is`() async throws {
    try scratch.write("mine", to: "watchbuild/w.sock")
    await #expect(throws: ControlSocket.Failure.self) {
      try await ControlSocket.listen(at: place())
    }
    #expect(mode(place().path) != nil)
  }

  @Test func `without a socket nobody is there`() {
    #expect(throws: ControlClient.Failure.nobody) { try ControlClient(places: [place("other")]) }
  }
}
