import Bazel
import FoundationEssentials
import Testing

@testable import Events

/// An event of each type with every field, and one with none that can be left out.
enum EventSamples {
  static func event(_ kind: Event.Kind) -> Event {
    Event(
      sequence: 7, time: Date(timeIntervalSince1970: 1_700_000_000.5), cycle: 3, kind: kind)
  }

  /// All kinds, each with every field.
  static var full: [Event.Kind] {
    var kinds: [Event.Kind] = []
    var next = following(nil)
    while let kind = next {
      kinds.append(kind)
      next = following(kind)
    }
    return kinds
  }

  /// A chain through all kinds: the compiler asks for a link where a kind is added.
  private static func following(_ kind: Event.Kind?) -> Event.Kind? {
    switch kind {
    case nil:
      .started(
        Event.Started(
          version: "1", workspace: "/w", images: [.init(name: "a", target: "//a:i", ref: "a:dev")],
          runtimes: ["docker"]))
    case .started:
      .watching(Event.Watching(directories: 1, files: 2, trigger: "poll", degraded: "why"))
    case .watching: .ready
    case .ready: .unaffected(Event.Unaffected(changes: [change], changeCount: 1))
    case .unaffected:
      .images(
        Event.ImagesChanged(
          added: [.init(name: "a", target: "//a:i")], removed: [.init(name: "b", target: "//b:i")]))
    case .images:
      .activity(
        Event.Activity(
          phase: .build, done: 1, total: 2, running: [.init(what: "Compiling a.c", ms: 3)],
          queued: ["a.c"], elapsedMs: 4, usualMs: 5))
    case .activity:
      .batch(
        Event.BatchClosed(
          cause: "change", changes: [change], changeCount: 1, images: ["a"], windowMs: 30))
    case .batch:
      .index(Event.Indexed(reason: "start", files: 1, images: 2, ms: 3, partial: true))
    case .index:
      .build(Event.BuildStarted(targets: ["//a:i"], images: ["a"], key: "k", command: ["bazel"]))
    case .build:
      .lock(Event.LockAwaited(holder: .init(pid: 17, command: "bazel build"), waitedMs: 1))
    case .lock: .cacheDiscarded(Event.CacheDiscarded(option: "-c", message: "m", cause: "c"))
    case .cacheDiscarded: .diagnostic(diagnostic)
    case .diagnostic: .image(image)
    case .image:
      .progress(
        Event.LoadProgressed(
          image: "a", runtime: "docker", ref: "a:dev", bytesSent: 1, bytesTotal: 2,
          bytesPerSecond: 3, layersSent: 4, layersTotal: 5))
    case .progress:
      .rollout(
        Event.RolledOut(
          image: "a", kind: "compose", target: "web", status: .failed, ms: 1, files: 2,
          error: "e"))
    case .rollout:
      .hook(hook)
    case .hook: .cycle(cycle)
    case .cycle: .degraded(reason: "r")
    case .degraded: .overflow(reason: "r")
    case .overflow: .paused(reason: "r")
    case .paused: .resumed(reason: "r")
    case .resumed: .stopping(reason: "r")
    case .stopping: .missed(Event.Missed(2...6))
    case .missed: nil
    }
  }

  private static let change = Event.BatchClosed.Change(path: "a/b", kind: "modified")

  private static var diagnostic: Event.Diagnosed {
    var diagnostic = Event.Diagnosed(
      Diagnostic(file: "a.c", line: 1, column: 2, severity: .error, message: "m"), image: "a",
      images: ["a"])
    diagnostic.target = "//a:lib"
    diagnostic.snippet = "a.c:1:2: error: m"
    diagnostic.log = "/state/log/1-a.log"
    diagnostic.omitted = 10
    return diagnostic
  }

  private static var image: Event.ImageChanged {
    var image = Event.ImageChanged(
      image: "a", target: "//a:i", status: .loaded, ref: "a:dev", refs: ["a:dev", "a:1"],
      id: "sha256:0", runtime: "docker", step: "load", bytesSent: 1, layersSent: 2, layersTotal: 3,
      ms: 4, error: "e", log: "/state/log/1-a.log", heldUpBy: "b")
    image.note = "n"
    return image
  }

  private static var hook: Event.HookRan {
    var hook = Event.HookRan(stage: .afterLoad, command: ["./smoke.sh"], exitCode: 1, ms: 2)
    hook.error = "e"
    hook.output = ["no answer"]
    return hook
  }

  private static var cycle: Event.CycleEnded {
    var phases = BazelPhases()
    phases.remote = RemoteWork()
    return Event.CycleEnded(
      status: .failed, ok: 1, failed: 2, heldUp: 3, failedImages: ["a"], timings: .init(),
      bazelCommands: 1, phases: phases, cacheCostMs: 4)
  }

  /// Those whose kinds have fields that may be left out, without them.
  static let bare: [Event.Kind] = [
    .watching(Event.Watching(directories: 1, files: 2, trigger: "notify")),
    .started(
      Event.Started(
        version: "1", workspace: "/w", images: [.init(name: "a", target: "//a:i", ref: nil)],
        runtimes: [])),
    .activity(
      Event.Activity(phase: .start, done: 0, total: 0, running: [], queued: [], elapsedMs: 0)),
    .lock(Event.LockAwaited(holder: .init(pid: 17, command: nil), waitedMs: 1)),
    .lock(Event.LockAwaited(holder: nil, waitedMs: 1)),
    .cacheDiscarded(Event.CacheDiscarded(option: "-c", message: "m")),
    .diagnostic(
      Event.Diagnosed(
        Diagnostic(file: "a.c", line: 1, severity: .note, message: "m"), image: nil)),
    .image(Event.ImageChanged(image: "a", target: "//a:i", status: .built)),
    .rollout(Event.RolledOut(image: "a", kind: "signal", target: "17", status: .started)),
    .hook(Event.HookRan(stage: .afterLoad, command: ["./smoke.sh"], exitCode: 0, ms: 2)),
    .cycle(
      Event.CycleEnded(status: .ok, ok: 1, failed: 0, timings: .init(), bazelCommands: 0)),
  ]
}
