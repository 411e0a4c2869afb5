import Glibc

/// Notices events around the watched directories that none of their watches tells: an anchor's
/// path comes to lead elsewhere, or something is mounted over what is watched.
///
/// Confined to the watching thread. At rest it costs nothing, unless the way to an anchor can't be
/// watched: then it looks once a second.
final class Surroundings {
  private let surveyor: Surveyor<InotifyTools>
  private let ancestry = Ancestry()
  private let notice = MountNotice()
  private var mounts = MountTable()
  private var hasOtherMounts = false
  /// When to look next where the way to an anchor can't be watched.
  private var nextLook: Int64 = 0
  /// Names that don't matter come and go above the anchors: not looked at until then.
  private var restsUntil: Int64 = 0

  private static let interval: Int64 = 1_000_000_000
  private static let rest: Int64 = 50_000_000

  init(_ surveyor: Surveyor<InotifyTools>) { self.surveyor = surveyor }

  // MARK: Waiting

  /// The descriptors to poll.
  func descriptors(isReading: Bool) -> [pollfd] {
    let isResting = !isReading || KernelTime.sinceBoot < restsUntil
    return [
      notice.request,
      pollfd(fd: isResting ? -1 : ancestry.descriptor, events: Int16(POLLIN), revents: 0),
    ]
  }

  /// When it wants to be asked again, whatever is told; nanoseconds since boot.
  var deadline: Int64? {
    let now = KernelTime.sinceBoot
    return [restsUntil > now ? restsUntil : nil, ancestry.isWhole ? nil : nextLook]
      .compactMap { $0 }.min()
  }

  /// Takes in what `poll` has found out of what is to be polled for.
  func note(_ answers: some Sequence<pollfd>) {
    // That there are other mounts is told once: it has to be kept until there is time for it.
    for answer in answers where answer.fd == notice.descriptor {
      if MountNotice.isChange(answer) { hasOtherMounts = true }
    }
  }

  // MARK: Looking

  /// Before the first visit: which file systems there are.
  func begin() { adopt(notice.read()) }

  /// After the anchors have been visited: the scope has changed, or watches have been made anew.
  func follow() {
    watchWays()
    surveyor.lookAtAnchors()
    doubt()
    surveyor.pollMountedFiles(mounts)
  }

  /// Acts on what has happened.
  ///
  /// - Parameter isAsked: Somebody waits for what has happened up to now.
  func look(isAsked: Bool) {
    let now = KernelTime.sinceBoot
    if isAsked || now >= restsUntil {
      if ancestry.readEvents() {
        watchWays()
        surveyor.lookAtAnchors()
      } else if ancestry.lastNeedless >= now {
        restsUntil = ancestry.lastNeedless + Self.rest
      }
    }
    if !ancestry.isWhole, isAsked || now >= nextLook {
      nextLook = now + Self.interval
      watchWays()
      surveyor.lookAtAnchors()
    }
    // The request may have come after the poll that it was taken behind.
    if isAsked, notice.isChanged { hasOtherMounts = true }
    if hasOtherMounts {
      hasOtherMounts = false
      compareMounts()
    }
  }

  private func watchWays() { ancestry.watch(surveyor.anchorPaths) }

  // MARK: Mounts

  private func compareMounts() {
    guard let now = notice.read() else { return }
    let changes = now.changes(since: mounts)
    adopt(now)
    surveyor.lookAtAnchors()
    for (point, mount) in changes {
      let position = surveyor.found.count
      guard surveyor.remounted(at: point) else { continue }
      let place = String(decoding: point, as: UTF8.self)
      let what =
        mount.map { "\($0.kind) has been mounted at \(place)" }
        ?? "what was mounted at \(place) has been unmounted"
      surveyor.found.insert(
        .degraded(
          reason: "\(what): what is there now is watched, and all its files count as changed"),
        at: position)
    }
    surveyor.pollMountedFiles(mounts)
  }

  private func adopt(_ table: MountTable?) {
    guard let table else { return }
    mounts = table
    doubt()
  }

  /// Finds out whether a file system that may not tell of changes is near.
  private func doubt() {
    let doubtful = mounts.mounts.filter { FileSystemKind.isDoubtful($0.kind) }
    surveyor.doubtsNotification = doubtful.contains { mount in
      surveyor.anchorPaths.contains { anchor in
        anchor == mount.point || anchor.isBelow(mount.point) || mount.point.isBelow(anchor)
          || mount.point == [UInt8(ascii: "/")]
      }
    }
  }
}
