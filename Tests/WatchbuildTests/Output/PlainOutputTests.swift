import Bazel
import Events
import FoundationEssentials
import Testing

@testable import Settings
@testable import watchbuild

struct PlainOutputTests {
  /// An event, and its lines when quiet, normally, and when verbose (`nil`: as normally).
  struct Row: Sendable, CustomTestStringConvertible {
    var kind: Event.Kind
    var quiet: [String] = []
    var normal: [String]
    var verbose: [String]?

    var testDescription: String { (verbose ?? normal).first ?? "nothing" }
  }

  static func image(
    _ status: Event.ImageChanged.Status, _ change: (inout Event.ImageChanged) -> Void = { _ in }
  ) -> Event.Kind {
    var image = Event.ImageChanged(image: "api", target: "//api:image", status: status)
    change(&image)
    return .image(image)
  }

  static func cycle(
    _ status: Event.CycleEnded.Status, ok: Int, failed: Int, ms: Int
  ) -> Event.Kind {
    var timings = Event.CycleEnded.Timings()
    timings.bazelMs = 900
    timings.totalMs = ms
    return .cycle(
      Event.CycleEnded(status: status, ok: ok, failed: failed, timings: timings, bazelCommands: 1))
  }

  static func batch(
    _ cause: String, _ paths: [String], count: Int? = nil, images: [String]
  ) -> Event.Kind {
    .batch(
      Event.BatchClosed(
        cause: cause, changes: paths.map { .init(path: $0, kind: "modified") },
        changeCount: count ?? paths.count, images: images, windowMs: 30))
  }

  static func diagnostic(
    _ severity: Diagnostic.Severity, column: Int?, _ message: String, image: String? = "api"
  ) -> Event.Kind {
    .diagnostic(
      Event.Diagnosed(
        Diagnostic(
          file: "api/main.go", line: 41, column: column, severity: severity, message: message),
        image: image))
  }

  static let rows: [Row] = [
    Row(
      kind: .started(
        Event.Started(
          version: "0.1.0", workspace: "/w",
          images: [.init(name: "api", target: "//api:image", ref: nil)],
          runtimes: ["docker", "oci:/x"])),
      normal: ["watchbuild 0.1.0 · 1 image · load: docker, oci:/x"]),
    Row(
      kind: .started(Event.Started(version: "0.1.0", workspace: "/w", images: [], runtimes: [])),
      normal: ["watchbuild 0.1.0 · 0 images · load: nowhere"]),
    Row(
      kind: .watching(Event.Watching(directories: 1, files: 20, trigger: "notify")),
      normal: ["watching 20 files in 1 directory"]),
    Row(
      kind: .watching(
        Event.Watching(directories: 3, files: 1, trigger: "poll", degraded: "out of watches")),
      normal: ["watching 1 file in 3 directories by polling (degraded: out of watches)"]),
    Row(kind: .ready, normal: ["ready"]),
    Row(
      kind: .progress(
        Event.LoadProgressed(
          image: "api", runtime: "docker", ref: "api:dev", bytesSent: 12, bytesTotal: 34,
          bytesPerSecond: 5, layersSent: 1, layersTotal: 2)),
      normal: [],
      verbose: ["[7] api loading → docker: 1 of 2 layers, 12 B of 34 B, 5 B a second"]),
    Row(
      kind: batch("change", ["a.txt"], images: ["api"]), normal: ["[7] building api (a.txt)…"]),
    Row(
      kind: batch("change", ["a", "b", "c"], images: ["api", "worker"]),
      normal: ["[7] building api, worker (3 changes)…"]),
    Row(
      kind: batch("change", ["a"], count: 1234, images: ["api"]),
      normal: ["[7] building api (1234 changes)…"]),
    Row(
      kind: batch("start", [], images: ["a", "b", "c", "d", "e", "f", "g", "h"]),
      normal: ["[7] building a, b, c, d, e, f and 2 more…"]),
    Row(
      kind: batch("overflow", [], images: ["api"]),
      normal: ["[7] building api (changes were lost)…"]),
    Row(
      kind: batch("configuration", [], images: []),
      normal: ["[7] building nothing (the configuration changed)…"]),
    Row(
      kind: .index(
        Event.Indexed(reason: "start", files: 120, images: 5, ms: 312, partial: false)),
      normal: [], verbose: ["indexed 120 files for 5 images in 0.3s (start)"]),
    Row(
      kind: .index(Event.Indexed(reason: "start", files: 1, images: 1, ms: 40, partial: true)),
      normal: [
        "indexed 1 file for 1 image in 0.04s, but only in part: Bazel could not read every package"
      ]),
    Row(
      kind: .build(
        Event.BuildStarted(
          targets: ["//api:image"], images: ["api"], key: "k",
          command: ["bazel", "build", "--define=a=b c", "//api:image"])),
      normal: [], verbose: ["[7] bazel build '--define=a=b c' //api:image"]),
    Row(
      kind: .lock(
        Event.LockAwaited(holder: .init(pid: 8123, command: "bazel test //..."), waitedMs: 1200)),
      normal: ["[7] waiting for Bazel's lock, held by pid 8123, bazel test //... (1.2s)"]),
    Row(
      kind: .lock(Event.LockAwaited(holder: nil, waitedMs: 0)),
      normal: ["[7] waiting for Bazel's lock (0.00s)"]),
    Row(
      kind: .cacheDiscarded(
        Event.CacheDiscarded(option: "--compilation_mode", message: "Build option …")),
      normal: [
        "[7] Bazel discarded its analysis cache, because --compilation_mode differs from the last "
          + "command's"
      ]),
    Row(
      kind: .cacheDiscarded(
        Event.CacheDiscarded(option: "-c", message: "", cause: "bazel build -c opt //... in /w")),
      normal: [
        "[7] Bazel discarded its analysis cache, because -c differs from the last command's: bazel "
          + "build -c opt //... in /w"
      ]),
    Row(
      kind: .cacheDiscarded(Event.CacheDiscarded(option: "server", message: "Starting …")),
      normal: [
        "[7] Bazel's server was started anew and has lost its analysis cache: it had been shut "
          + "down, killed, or idle for long"
      ]),
    Row(
      kind: .cycle(
        Event.CycleEnded(
          status: .ok, ok: 1, failed: 0, timings: .init(), bazelCommands: 1, cacheCostMs: 1400)),
      quiet: ["[7] finished: 1 ok, 0 failed in 0.00s"],
      normal: [
        "[7] the discarded analysis cache cost 1.4s of Bazel's time",
        "[7] finished: 1 ok, 0 failed in 0.00s",
      ],
      verbose: [
        "[7] timings: window 0 ms, plan 0 ms, lock 0 ms, bazel 0 ms, load 0 ms; 1 bazel command",
        "[7] the discarded analysis cache cost 1.4s of Bazel's time",
        "[7] finished: 1 ok, 0 failed in 0.00s",
      ]),
    Row(
      kind: .images(
        Event.ImagesChanged(
          added: [.init(name: "pay", target: "//pay:i")],
          removed: [.init(name: "payments", target: "//payments:i")])),
      normal: ["images: −payments +pay"]),
    Row(
      kind: .rollout(
        Event.RolledOut(image: "web", kind: "compose", target: "web", status: .live, ms: 1300)),
      normal: ["[7] web → compose web live in 1.3s"]),
    Row(
      kind: .rollout(Event.RolledOut(image: "web", kind: "signal", target: "17", status: .started)),
      normal: [], verbose: ["[7] web → signal 17 rolling out"]),
    Row(
      kind: .hook(Event.HookRan(stage: .afterLoad, command: ["./smoke.sh"], exitCode: 0, ms: 100)),
      normal: [], verbose: ["[7] afterLoad hook ./smoke.sh ended with exit code 0 in 0.1s"]),
    Row(
      kind: .hook(Event.HookRan(stage: .onFailure, command: ["x", "y z"], exitCode: 3, ms: 100)),
      quiet: ["[7] onFailure hook x 'y z' ended with exit code 3 in 0.1s"],
      normal: ["[7] onFailure hook x 'y z' ended with exit code 3 in 0.1s"]),
    Row(kind: .paused(reason: "asked for"), normal: ["paused, saves are noted: asked for"]),
    Row(kind: .resumed(reason: "asked for"), normal: ["resumed: asked for"]),
    Row(
      kind: .missed(Event.Missed(17...912)),
      normal: [
        "degraded: 896 events are missing here (numbers 17 to 912): nobody read them for so long "
          + "that they were left out"
      ]),
    Row(
      kind: diagnostic(.error, column: 9, "undefined: Foo"),
      quiet: ["api/main.go:41:9: error: undefined: Foo [api]"],
      normal: ["api/main.go:41:9: error: undefined: Foo [api]"]),
    Row(
      kind: diagnostic(.warning, column: nil, "unused\n  in this scope", image: nil),
      normal: ["api/main.go:41: warning: unused", "      in this scope"]),
    Row(kind: image(.built) { $0.ms = 1900 }, normal: [], verbose: ["[7] api built in 1.9s"]),
    Row(
      kind: image(.unchanged) { $0.runtime = "docker" }, normal: ["[7] api unchanged → docker"]),
    Row(
      kind: image(.loaded) { image in
        image.runtime = "docker"
        image.layersSent = 1
        image.layersTotal = 9
        image.bytesSent = 3_123_456
        image.ms = 420
      },
      normal: ["[7] api loaded 1 of 9 layers (3.1 MB) → docker in 0.4s"]),
    Row(kind: image(.loaded), normal: ["[7] api loaded"]),
    Row(
      kind: image(.loaded) { image in
        image.runtime = "docker"
        image.ref = "lab/api:dev"
        image.refs = ["lab/api:dev", "lab/api:1"]
        image.note = "new"
      }, normal: ["[7] api loaded → docker as lab/api:dev, lab/api:1 (new)"]),
    Row(kind: image(.live) { $0.runtime = "docker" }, normal: ["[7] api live → docker"]),
    Row(
      kind: image(.failed) { $0.error = "no such target\nand more" },
      quiet: ["[7] api failed: no such target", "[7]     and more"],
      normal: ["[7] api failed: no such target", "[7]     and more"]),
    Row(kind: image(.cancelled), normal: [], verbose: ["[7] api cancelled"]),
    Row(
      kind: cycle(.ok, ok: 3, failed: 0, ms: 1234),
      quiet: ["[7] finished: 3 ok, 0 failed in 1.2s"],
      normal: ["[7] finished: 3 ok, 0 failed in 1.2s"],
      verbose: [
        "[7] timings: window 0 ms, plan 0 ms, lock 0 ms, bazel 900 ms, load 0 ms; 1 bazel command",
        "[7] finished: 3 ok, 0 failed in 1.2s",
      ]),
    Row(
      kind: .degraded(reason: "no space"), normal: ["degraded: no space"]),
    Row(
      kind: .overflow(reason: "queue full"),
      normal: ["changes were lost, looking again: queue full"]),
    Row(kind: .stopping(reason: "SIGINT"), normal: ["stopping: SIGINT"]),
  ]

  private func lines(_ kind: Event.Kind, _ output: PlainOutput) -> [String] {
    output.lines(for: Event(sequence: 1, time: Date(), cycle: 7, kind: kind))
  }

  @Test(arguments: rows)
  func `an event is told as its verbosity asks`(_ row: Row) {
    #expect(lines(row.kind, PlainOutput(verbosity: .quiet)) == row.quiet)
    #expect(lines(row.kind, PlainOutput(verbosity: .normal)) == row.normal)
    #expect(lines(row.kind, PlainOutput(verbosity: .verbose)) == row.verbose ?? row.normal)
  }

  @Test func `a cancelled cycle ends with the same words`() {
    let kind = Self.cycle(.cancelled, ok: 1, failed: 0, ms: 300)
    #expect(lines(kind, PlainOutput()) == ["[7] finished: 1 ok, 0 failed in 0.3s (cancelled)"])
  }

  @Test func `the lines that editors match are the same with colour, between the codes`() {
    let kind = Self.cycle(.failed, ok: 3, failed: 1, ms: 1234)
    let coloured = lines(kind, PlainOutput(usesColor: true))
    #expect(coloured == ["[7] \u{1B}[31mfinished: 3 ok, 1 failed in 1.2s\u{1B}[0m"])
  }

  @Test func `a cycle's end names the images that failed`() {
    let ended = Event.CycleEnded(
      status: .failed, ok: 3, failed: 1, failedImages: ["fraud"], timings: .init(),
      bazelCommands: 1)
    #expect(
      lines(.cycle(ended), PlainOutput()) == ["[7] finished: 3 ok, 1 failed (fraud) in 0.00s"])
  }

  @Test func `how many more mistakes there are is told below the last, and names no place`() {
    var cut = Event.Diagnosed(
      Diagnostic(file: "a.c", line: 1, severity: .error, message: "m"), image: "fraud")
    cut.omitted = 10
    #expect(
      lines(.diagnostic(cut), PlainOutput()) == [
        "a.c:1: error: m [fraud]", "    and 10 more; all of it: watchbuild logs fraud",
      ])
  }

  @Test(arguments: rows)
  func `without colour no line holds an escape`(_ row: Row) {
    let all = lines(row.kind, PlainOutput(verbosity: .verbose)).joined()
    #expect(!all.contains("\u{1B}"))
  }

  @Test func `names, paths and messages can't drive the terminal`() {
    let evil = "a\u{1B}]0;title\u{7}\rb\u{202E}"
    var image = Event.ImageChanged(image: evil, target: evil, status: .failed)
    image.error = evil
    let kinds: [Event.Kind] = [
      .image(image), Self.batch("change", [evil], images: [evil]),
      Self.diagnostic(.error, column: 1, evil, image: evil), .degraded(reason: evil),
      .overflow(reason: evil), .stopping(reason: evil),
      .lock(Event.LockAwaited(holder: .init(pid: 1, command: evil), waitedMs: 0)),
      .started(Event.Started(version: "1", workspace: evil, images: [], runtimes: [evil])),
      .build(Event.BuildStarted(targets: [], images: [], key: "", command: [evil])),
      .watching(Event.Watching(directories: 1, files: 1, trigger: "poll", degraded: evil)),
      .cacheDiscarded(Event.CacheDiscarded(option: evil, message: evil)),
      .index(Event.Indexed(reason: evil, files: 1, images: 1, ms: 1, partial: false)),
      .images(
        Event.ImagesChanged(
          added: [.init(name: evil, target: evil)], removed: [.init(name: evil, target: evil)])),
      .rollout(
        Event.RolledOut(image: evil, kind: evil, target: evil, status: .failed, error: evil)),
      .hook(Event.HookRan(stage: .afterLoad, command: [evil], exitCode: 1, ms: 1)),
      .paused(reason: evil), .resumed(reason: evil),
      .cycle(
        Event.CycleEnded(
          status: .failed, ok: 0, failed: 1, failedImages: [evil], timings: .init(),
          bazelCommands: 1)),
    ]
    let text = kinds.flatMap { lines($0, PlainOutput(verbosity: .verbose)) }.joined()
    let unsafe = text.unicodeScalars.filter { $0.value < 32 || $0.value == 0x202E }
    #expect(unsafe.isEmpty)
  }
}

@Suite struct LockTextTests {
  @Test func `who holds the lock is told in few words`() {
    #expect(LockText.text("bazel test //...") == "bazel test //...")
    #expect(
      LockText.text(
        "bazel build --build_event_json_file=/root/.local/state/watchbuild/w/bazel/e.json -- //a:i")
        == "a build of another watchbuild")
    let long = LockText.text("bazel build " + String(repeating: "//a:b ", count: 50))
    #expect(long.count == 100 && long.hasSuffix("…"))
  }
}
