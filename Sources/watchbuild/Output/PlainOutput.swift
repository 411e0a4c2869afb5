import Basics
import Bazel
import Events
import Settings

/// Events as lines for people and problem matchers.
///
/// `[N] building …` and `[N] finished: 3 ok, 1 failed in 1.2s` begin and end a cycle, and
/// diagnostics are `path:line:column: error: message [image]`: editors match these, so they are
/// never coloured inside and never change.
struct PlainOutput: Sendable {
  var verbosity = Verbosity.normal
  var usesColor = false

  /// The lines for one event, without newlines; none where the verbosity leaves it out.
  func lines(for event: Event) -> [String] {
    switch event.kind {
    case .started(let started): unlessQuiet(banner(started))
    case .watching(let watching): unlessQuiet(self.watching(watching))
    case .ready: unlessQuiet("ready")
    case .unaffected(let unaffected): whenVerbose(self.unaffected(unaffected))
    case .images(let images): unlessQuiet(self.images(images))
    case .activity: []
    case .batch(let batch): unlessQuiet(cycle(event) + building(batch))
    case .index(let index): indexed(index)
    case .build(let build): whenVerbose(cycle(event) + CommandText.text(build.command))
    case .lock(let lock): unlessQuiet(cycle(event) + self.lock(lock))
    case .cacheDiscarded(let discarded): unlessQuiet(cycle(event) + self.discarded(discarded))
    case .diagnostic(let diagnostic): diagnosed(diagnostic)
    case .image(let image): self.image(image).map { cycle(event) + $0 }
    case .progress(let progress): whenVerbose(cycle(event) + ProgressLine.text(progress))
    case .rollout(let rollout): self.rollout(rollout).map { cycle(event) + $0 }
    case .hook(let hook): self.hook(hook).map { cycle(event) + $0 }
    case .cycle(let ended): finished(ended).map { cycle(event) + $0 }
    case .degraded(let reason): unlessQuiet(paint(.warning, "degraded: " + safe(reason)))
    case .overflow(let reason): unlessQuiet("changes were lost, looking again: " + safe(reason))
    case .paused(let reason): unlessQuiet("paused, saves are noted: " + safe(reason))
    case .resumed(let reason): unlessQuiet("resumed: " + safe(reason))
    case .stopping(let reason): unlessQuiet("stopping: " + safe(reason))
    case .missed(let missed): unlessQuiet(paint(.warning, self.missed(missed)))
    }
  }

  private func cycle(_ event: Event) -> String { event.cycle.map { "[\($0)] " } ?? "" }

  private func unlessQuiet(_ line: String) -> [String] { verbosity == .quiet ? [] : [line] }

  private func whenVerbose(_ line: String) -> [String] { verbosity == .verbose ? [line] : [] }

  private func safe(_ text: String) -> String { Terminal.escaped(text) }

  private func paint(_ color: TextColor, _ text: String) -> String {
    usesColor ? color.applied(to: text) : text
  }
}

// MARK: - Start

extension PlainOutput {
  private func banner(_ started: Event.Started) -> String {
    let runtimes = started.runtimes.isEmpty ? "nowhere" : started.runtimes.joined(separator: ", ")
    let images = Quantity.text(started.images.count, "image")
    return "watchbuild \(started.version) · \(images) · load: \(safe(runtimes))"
  }

  private func watching(_ watching: Event.Watching) -> String {
    let how = watching.trigger == "notify" ? "" : " by polling"
    let files = Quantity.text(watching.files, "file")
    let directories = Quantity.text(watching.directories, "directory", plural: "directories")
    let line = "watching \(files) in \(directories)\(how)"
    guard let degraded = watching.degraded else { return line }
    return line + paint(.warning, " (degraded: \(safe(degraded)))")
  }

  private func missed(_ missed: Event.Missed) -> String {
    "degraded: \(Quantity.text(missed.count, "event")) are missing here (numbers \(missed.first) to "
      + "\(missed.last)): nobody read them for so long that they were left out"
  }

  private func indexed(_ index: Event.Indexed) -> [String] {
    let files = Quantity.text(index.files, "file")
    let images = Quantity.text(index.images, "image")
    let line = "indexed \(files) for \(images) in \(Quantity.seconds(index.ms))"
    guard index.partial else { return whenVerbose("\(line) (\(safe(index.reason)))") }
    return unlessQuiet(
      paint(.warning, "\(line), but only in part: Bazel could not read every package"))
  }
}

// MARK: - Cycle

extension PlainOutput {
  private func building(_ batch: Event.BatchClosed) -> String {
    let images = batch.images.isEmpty ? "nothing" : safe(Quantity.list(batch.images))
    let cause =
      switch batch.cause {
      case "change" where batch.changeCount == 1: batch.changes.first.map { safe($0.path) }
      case "change": Quantity.text(batch.changeCount, "change")
      case "start": nil as String?
      case "overflow": "changes were lost"
      case "configuration": "the configuration changed"
      default: safe(batch.cause)
      }
    return "building \(images)" + (cause.map { " (\($0))" } ?? "") + "…"
  }

  private func unaffected(_ unaffected: Event.Unaffected) -> String {
    let first = unaffected.changes.first.map { safe($0.path) } ?? "nothing"
    guard unaffected.changeCount > 1 else { return "no image depends on \(first)" }
    return "no image depends on \(first) and \(unaffected.changeCount - 1) more"
  }

  private func lock(_ lock: Event.LockAwaited) -> String {
    var line = "waiting for Bazel's lock"
    if let holder = lock.holder {
      let command = holder.command.map { ", \(safe(LockText.text($0)))" } ?? ""
      line += ", held by pid \(holder.pid)\(command)"
    }
    return paint(.warning, line + " (\(Quantity.seconds(lock.waitedMs)))")
  }

  private func discarded(_ discarded: Event.CacheDiscarded) -> String {
    guard discarded.option != "server" else {
      return paint(
        .warning,
        "Bazel's server was started anew and has lost its analysis cache: it had been shut down, "
          + "killed, or idle for long")
    }
    let cause = discarded.cause.map { ": \(safe($0))" } ?? ""
    return paint(
      .warning,
      "Bazel discarded its analysis cache, because \(safe(discarded.option)) differs from the "
        + "last command's\(cause)")
  }

  private func diagnosed(_ diagnostic: Event.Diagnosed) -> [String] {
    if verbosity == .quiet, diagnostic.severity != .error { return [] }
    let column = diagnostic.column.map { ":\($0)" } ?? ""
    let place = "\(safe(diagnostic.file)):\(diagnostic.line)\(column)"
    let severity = diagnostic.severity
    let image = diagnostic.image.map { " [\(safe($0))]" } ?? ""
    let texts = diagnostic.message.split(whereSeparator: \.isNewline).map { safe(String($0)) }
    let first = "\(place): \(severity.rawValue): \(texts.first ?? "")\(image)"
    // No matcher takes it for a diagnostic: it names no place.
    let more = diagnostic.omitted.map { omitted in
      let name = diagnostic.image ?? diagnostic.images?.first
      return "    and \(omitted) more; all of it: watchbuild logs"
        + (name.map { " " + safe($0) } ?? "")
    }
    return [paint(severity == .error ? .failure : .warning, first)]
      + texts.dropFirst().map { "    " + $0 } + [more].compactMap(\.self)
  }

  private func images(_ images: Event.ImagesChanged) -> String {
    let names =
      images.removed.map { "−" + safe($0.name) } + images.added.map { "+" + safe($0.name) }
    return "images: " + names.joined(separator: " ")
  }

  private func rollout(_ rollout: Event.RolledOut) -> [String] {
    let place = "\(safe(rollout.image)) → \(safe(rollout.kind)) \(safe(rollout.target))"
    let files = rollout.files.map { " (\(Quantity.text($0, "file")) written, no restart)" } ?? ""
    let time = (rollout.ms.map { " in \(Quantity.seconds($0))" } ?? "") + files
    return switch rollout.status {
    case .started: whenVerbose("\(place) rolling out")
    case .unchanged: whenVerbose("\(place) runs it already")
    case .done: unlessQuiet(paint(.success, "\(place) rolled out\(time)"))
    case .live: unlessQuiet(paint(.success, "\(place) live\(time)"))
    // The image's own line says why.
    case .failed: whenVerbose(paint(.failure, "\(place) failed\(time)"))
    case .cancelled: whenVerbose("\(place) cancelled")
    }
  }

  private func hook(_ hook: Event.HookRan) -> [String] {
    let line =
      "\(hook.stage.rawValue) hook \(CommandText.text(hook.command)) ended with exit code "
      + "\(hook.exitCode) in \(Quantity.seconds(hook.ms))"
    if hook.exitCode == 0, hook.error == nil { return whenVerbose(line) }
    return [paint(.failure, line + (hook.error.map { " (\(safe($0)))" } ?? ""))]
      + (hook.output ?? []).map { "    " + safe($0) }
  }

  private func image(_ image: Event.ImageChanged) -> [String] {
    let name = safe(image.image)
    let place = image.runtime.map { " → \(safe($0))" } ?? ""
    let time = image.ms.map { " in \(Quantity.seconds($0))" } ?? ""
    switch image.status {
    case .built:
      return whenVerbose("\(name) built\(time)" + (image.note.map { " (\(safe($0)))" } ?? ""))
    case .unchanged: return unlessQuiet("\(name) unchanged\(place)")
    case .loaded:
      var line = "\(name) loaded"
      if let sent = image.layersSent, let total = image.layersTotal {
        line += " \(sent) of \(Quantity.text(total, "layer"))"
      }
      line += image.bytesSent.map { " (\(Quantity.bytes($0)))" } ?? ""
      let note = image.note.map { " (\(safe($0)))" } ?? ""
      return unlessQuiet(paint(.success, line + place + time) + loadedNames(image) + note)
    // A rollout has a line of its own.
    case .live where image.step == "rollout": return whenVerbose("\(name) live")
    case .live: return unlessQuiet(paint(.success, "\(name) live\(place)\(time)"))
    case .failed:
      let error = image.error ?? "no reason given"
      let texts = error.split(whereSeparator: \.isNewline).map { safe(String($0)) }
      return [paint(.failure, "\(name) failed: \(texts.first ?? "")")]
        + texts.dropFirst().map { "    " + $0 }
    case .cancelled:
      guard let other = image.heldUpBy else { return whenVerbose("\(name) cancelled") }
      return unlessQuiet(paint(.warning, "\(name) held up: it requires \(safe(other))"))
    }
  }

  /// What a runtime calls the image: the names that people type.
  private func loadedNames(_ image: Event.ImageChanged) -> String {
    let names = image.refs ?? [image.ref].compactMap(\.self)
    return names.isEmpty ? "" : " as " + names.map { safe($0) }.joined(separator: ", ")
  }

  private func finished(_ ended: Event.CycleEnded) -> [String] {
    let timings = ended.timings
    let cancelled = ended.status == .cancelled ? " (cancelled)" : ""
    let color: TextColor =
      switch ended.status {
      case .ok: .success
      case .failed: .failure
      case .cancelled: .warning
      }
    let names = ended.failedImages.isEmpty ? "" : " (\(safe(Quantity.list(ended.failedImages))))"
    let result =
      "finished: \(ended.ok) ok, \(ended.failed) failed\(names)"
      + (ended.heldUp > 0 ? ", \(ended.heldUp) held up" : "") + " in "
      + Quantity.seconds(timings.totalMs) + cancelled
    let rollout = timings.rolloutMs > 0 ? [("rollout", timings.rolloutMs)] : []
    let parts =
      ([
        ("window", timings.windowMs), ("plan", timings.planMs), ("lock", timings.lockMs),
        ("bazel", timings.bazelMs), ("load", timings.loadMs),
      ] + rollout).map { "\($0.0) \($0.1) ms" }.joined(separator: ", ")
    let commands = Quantity.text(ended.bazelCommands, "bazel command")
    let cost =
      ended.cacheCostMs.map { ms in
        ms == 0
          ? []
          : unlessQuiet(
            paint(
              .warning, "the discarded analysis cache cost \(Quantity.seconds(ms)) of Bazel's time")
          )
      } ?? []
    return whenVerbose("timings: \(parts); \(commands)") + cost + [paint(color, result)]
  }
}
