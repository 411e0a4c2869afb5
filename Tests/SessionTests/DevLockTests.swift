import Glibc
import SystemPackage
import TestSupport
import Testing

@testable import Basics
@testable import Session
@testable import Settings

struct DevLockTests {
  private let scratch: TemporaryDirectory
  private let directory: PrivateDirectory
  private var state: FilePath { directory.path }

  init() throws {
    scratch = try TemporaryDirectory()
    directory = PrivateDirectory(below: scratch.path, "state", "w")
  }

  private func acquire() throws -> DevLock {
    try DevLock.acquire(in: directory, workspace: "/w")
  }

  @Test func `a second dev is told who runs the first`() throws {
    let first = try acquire()
    let problem = #expect(throws: Problem.self) { try acquire() }
    #expect(
      problem?.description
        == "watchbuild: error: watchbuild dev already runs for /w (pid \(getpid())); "
        + "use that one, or end it with kill -INT \(getpid())")
    #expect(problem?.status == .otherDev)
    first.release()
  }

  @Test func `a released lock leaves no file and can be taken again`() throws {
    let first = try acquire()
    first.release()
    first.release()
    #expect(Disk.type(of: state.appending("dev.lock")) == nil)
    let second = try acquire()
    #expect(throws: Problem.self) { try acquire() }
    second.release()
  }

  @Test func `a file left behind by a killed process is no lock`() throws {
    try scratch.write("4194304\n", to: "state/w/dev.lock")
    let lock = try acquire()
    let content = try Disk.read(state.appending("dev.lock"), limit: 100)
    #expect(String(decoding: content, as: UTF8.self) == "\(getpid())\n")
    lock.release()
  }

  @Test func `a symbolic link in its place is not followed`() throws {
    let victim = try scratch.write("precious", to: "victim")
    _ = try scratch.makeDirectory("state/w")
    try #require(symlink(victim.string, state.appending("dev.lock").string) == 0)
    #expect(throws: Problem.self) { try acquire() }
    #expect(try Disk.read(victim, limit: 100) == Array("precious".utf8))
  }

  @Test(arguments: ["dev.lock", "."])
  func `a second dev finds the first also where its file is gone`(_ removed: String) throws {
    let first = try acquire()
    TemporaryDirectory.remove(state.pushing(FilePath(removed)).lexicallyNormalized())
    for _ in 1...2 {
      let problem = #expect(throws: Problem.self) { try acquire() }
      #expect(problem?.status == .otherDev)
      #expect(problem?.message.contains("(pid \(getpid()))") == true)
    }
    first.release()
  }

  @Test func `a lock whose directory is gone is made anew`() throws {
    let first = try acquire()
    TemporaryDirectory.remove(state)
    try first.renew()
    try first.renew()
    let content = try Disk.read(state.appending("dev.lock"), limit: 100)
    #expect(String(decoding: content, as: UTF8.self) == "\(getpid())\n")
    first.release()
    #expect(Disk.type(of: state.appending("dev.lock")) == nil)
  }

  @Test func `a file that somebody put in the lock's place is left to them`() throws {
    let first = try acquire()
    let path = state.appending("dev.lock")
    unlink(path.string)
    try scratch.write("precious", to: "state/w/dev.lock")
    first.release()
    #expect(try Disk.read(path, limit: 100) == Array("precious".utf8))
  }

  @Test func `a process that is no dev and holds the lock is named`() throws {
    try scratch.makeDirectory("state/w")
    let path = try scratch.write("4194304\n", to: "state/w/dev.lock")
    let holder = try FileDescriptor.open(path, .readOnly)
    defer { try? holder.close() }
    try #require(flock(holder.rawValue, LOCK_EX | LOCK_NB) == 0)
    let problem = #expect(throws: Problem.self) { try acquire() }
    #expect(
      problem?.description.contains(
        "another process (pid \(getpid())) has locked \(path); end it; 'ps -p \(getpid())'") == true
    )
    #expect(problem?.status == .otherDev)
  }

  @Test func `the state directory is its owner's alone`() throws {
    let lock = try acquire()
    #expect(try state.stat().permissions.rawValue == 0o700)
    lock.release()
  }

  @Test func `a state directory that can't be made is told with what to do`() throws {
    try scratch.write("", to: "state")
    let problem = #expect(throws: Problem.self) { try acquire() }
    #expect(
      problem?.description
        == "watchbuild: error: can't write to the state directory \(state): Not a directory; "
        + "make it writable, or set XDG_STATE_HOME to a directory that is")
    #expect(problem?.status == .usage)
  }

  @Test func `of many that try at once never two hold it`() async throws {
    let held = Counter()
    let directory = directory
    try await withThrowingTaskGroup(of: Int.self) { group in
      for _ in 0..<8 {
        group.addTask { @concurrent in
          var taken = 0
          for _ in 0..<200 {
            guard let lock = try? DevLock.acquire(in: directory, workspace: "/w") else {
              continue
            }
            taken += 1
            try held.enter()
            held.leave()
            lock.release()
          }
          return taken
        }
      }
      let taken = try await group.reduce(0, +)
      #expect(taken > 0)
    }
  }
}
