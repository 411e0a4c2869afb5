import Glibc
import Processes
import SystemPackage
import TestSupport
import Testing

@testable import watchbuild

struct CheckTests {
  @Test(
    arguments: [
      ([.ok], "1 check: 1 ok"), ([.ok, .warn, .ok], "3 checks: 2 ok, 1 warning"),
      ([.error, .error, .warn], "3 checks: 0 ok, 1 warning, 2 errors"),
    ] as [([Finding.Status], String)])
  func `findings are counted`(statuses: [Finding.Status], summary: String) {
    #expect(Finding.summary(statuses.map { Finding("check", $0, "message") }) == summary)
  }

  @Test(
    arguments: [
      (192_493, 200, .ok, nil),
      (8192, 7000, .warn, "sudo sysctl fs.inotify.max_user_watches=524288"),
      (8192, 400_000, .warn, "sudo sysctl fs.inotify.max_user_watches=1048576"),
      (nil, 1, .warn, "use --trigger poll"),
    ] as [(Int?, Int, Finding.Status, String?)])
  func `too few watches for the tree are told with the exact setting`(
    _ watches: Int?, _ directories: Int, _ status: Finding.Status, _ remedy: String?
  ) {
    let check = InotifyCheck(watches: watches, queuedEvents: 16384, directories: directories)
    #expect(check.findings.map(\.status) == [status])
    #expect(check.findings.first?.remedy?.hasPrefix(remedy ?? "none") ?? (remedy == nil))
  }

  @Test func `the lower limit of a user namespace counts, and is the one to be raised`() {
    let check = InotifyCheck(
      watches: 100_000, namespaceWatches: 500, queuedEvents: 16384, directories: 1000)
    #expect(check.findings.map(\.status) == [.warn])
    #expect(
      check.findings.first?.remedy?.hasPrefix("sudo sysctl user.max_inotify_watches=524288")
        == true)
  }

  @Test func `no free instance is an error with its own setting`() {
    let check = InotifyCheck(
      watches: 100_000, queuedEvents: 16384, failure: .tooManyOpenFiles, directories: 1)
    #expect(check.findings.map(\.status) == [.error, .ok])
    #expect(
      check.findings.first?.remedy?.hasPrefix("sudo sysctl fs.inotify.max_user_instances=1024")
        == true)
  }

  @Test func `a short queue is a warning`() {
    let check = InotifyCheck(watches: 100_000, queuedEvents: 128, directories: 1)
    #expect(check.findings.map(\.status) == [.ok, .warn])
  }

  @Test func `the limits of this machine can be read`() {
    let check = InotifyCheck.read(directories: 1)
    #expect(check.watches ?? 0 > 0 && check.queuedEvents ?? 0 > 0)
  }

  private static let mounts = """
    22 1 259:1 / / rw,relatime shared:1 - ext4 /dev/root rw
    30 22 0:26 / /home/ada rw - nfs4 server:/home rw
    31 30 0:27 / /home/ada/with\\040space rw - fuse.sshfs x rw
    32 22 0:28 / /mnt rw master:2 - ext4 /dev/sdb rw
    33 22 0:29 / /mnt rw - 9p host rw
    broken line
    """

  @Test(
    arguments: [
      ("/srv/w", .ok, "ext4"), ("/home/ada/w", .warn, "nfs4"), ("/home/adam", .ok, "ext4"),
      ("/home/ada/with space/w", .warn, "fuse.sshfs"), ("/mnt/w", .warn, "9p"),
    ] as [(FilePath, Finding.Status, String)])
  func `file systems that keep changes to themselves are told`(
    _ directory: FilePath, _ status: Finding.Status, _ kind: String
  ) {
    let finding = FileSystemCheck.finding(for: directory, mounts: Self.mounts)
    #expect(finding.status == status)
    #expect(finding.message.hasPrefix(kind))
  }

  @Test func `the file system of this machine is known`() {
    #expect(FileSystemCheck.finding(for: "/").message != "its kind can't be told")
  }

  @Test func `directories are counted without links and without version control`() throws {
    let scratch = try TemporaryDirectory()
    for name in ["a/b/c", ".git/objects", ".hg/store", "d"] {
      _ = try scratch.makeDirectory(name)
    }
    try scratch.write("", to: "a/file")
    try #require(symlink("a", scratch.path.appending("bazel-out").string) == 0)
    #expect(DirectoryCount.of(scratch.path) == 5)
  }

  @Test(
    arguments: [
      (.exited(0), "bazel 7.4.1\n", .ok, "bazel 7.4.1 (bazel)"),
      (.exited(0), "bazel no_version\n", .ok, "bazel, built without a version number (bazel)"),
      (.exited(1), "boom\nmore", .error, "bazel --version failed: boom"),
      (.signalled(9), "", .error, "bazel --version failed: "),
    ] as [(CommandExit, String, Finding.Status, String)])
  func `bazel's answer decides`(
    _ exit: CommandExit, _ output: String, _ status: Finding.Status, _ message: String
  ) async {
    let check = BazelCheck(
      executable: "bazel", runner: FixedRunner(output: output, exit: exit),
      clock: ContinuousClock())
    let finding = await check.finding()
    #expect(finding.status == status)
    #expect(finding.message == message)
  }

  @Test func `a bazel that is not there is an error with what to do`() async {
    let check = BazelCheck(
      executable: "/nowhere/bazel", runner: SubprocessRunner(), clock: ContinuousClock())
    let finding = await check.finding()
    #expect(finding.status == .error)
    #expect(finding.message.contains("/nowhere/bazel"))
    #expect(finding.remedy?.contains("--bazel PATH") == true)
  }

  @Test(arguments: [
    ("\(getpid())", "running, pid \(getpid())"), ("999999999", "not running"),
    ("", "not running"), ("text", "not running"),
  ])
  func `the server is found through the link to its outputs`(
    _ pid: String, _ message: String
  )
    throws
  {
    let scratch = try TemporaryDirectory()
    let workspace = try scratch.makeDirectory("w")
    _ = try scratch.makeDirectory("base/execroot/main/bazel-out")
    try scratch.write(pid, to: "base/server/server.pid.txt")
    try #require(
      symlink(
        "\(scratch.path)/base/execroot/main/bazel-out", workspace.appending("bazel-out").string)
        == 0)
    let finding = BazelCheck.serverFinding(workspace: workspace)
    #expect(finding.status == .ok)
    #expect(finding.message.hasPrefix(message))
  }

  @Test(arguments: [
    (
      ["DOCKER_HOST": "unix:///nowhere/docker.sock"],
      "does not answer at unix:///nowhere/docker.sock: no such file or directory, by DOCKER_HOST",
      "is dockerd running?"
    ),
    (
      ["DOCKER_HOST": "unix:///" + String(repeating: "x", count: 200)],
      "does not answer at unix:///x",
      "is dockerd running?"
    ),
    (
      ["DOCKER_HOST": "tcp://127.0.0.1:1"], "does not answer at tcp://127.0.0.1:1: ",
      "is dockerd running?"
    ),
    (
      ["DOCKER_HOST": "npipe://x"], "DOCKER_HOST=npipe://x is not supported",
      "give unix:///PATH, tcp://HOST:PORT or ssh://"
    ),
    (
      ["DOCKER_CONFIG": "/nowhere", "DOCKER_CONTEXT": "prod"],
      "there is no docker context 'prod', which DOCKER_CONTEXT names: /nowhere/contexts/meta/",
      "'docker context ls' lists those that are there"
    ),
  ])
  func `a docker that can't be asked is a warning`(
    _ environment: [String: String], _ message: String, _ remedy: String
  ) async {
    let finding = await DockerCheck.finding(
      environment: environment, runner: FixedRunner(output: ""))
    #expect(finding.status == .warn)
    #expect(finding.message.hasPrefix(message), "\(finding)")
    #expect(finding.remedy?.hasPrefix(remedy) == true, "\(finding)")
  }
}
