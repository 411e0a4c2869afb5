import Glibc
import SystemPackage

/// Keeps the tree of watched directories true to the disk, and notes what changes.
///
/// A directory is always watched first and listed then, so that what appears in between is seen by
/// one of the two. `found` collects the events until somebody takes them. Confined to one thread.
final class Surveyor<Notifier: DirectoryNotifier> {
  typealias ID = WatchedTree.ID

  var notifier: Notifier
  private(set) var plan: WatchPlan {
    didSet {
      rules = plan.scope.ignore
      place = nil
    }
  }
  var tree = WatchedTree()
  var found: [WatchEvent] = []
  /// Directories that are not watched, and the error number that says why.
  var failures: [ID: Int32] = [:]
  /// Anchors that are not there now. What is known of the root's files is kept for its return.
  var lost: Set<ID> = []
  /// The directory that each anchor's path led to when it was last visited.
  var stands: [ID: Stand] = [:]
  /// Some file system at hand may not tell of changes: each directory's is to be asked for.
  var doubtsNotification = false
  /// Directories to be looked at again when the events read so far have been acted on.
  var revisits: Set<ID> = []
  /// Change times tell nothing: the clock was set back since the last look.
  var distrustsTimes = false
  private(set) var root: ID = 0
  /// The latest moment of any record, whatever has been done to the clock since.
  private var latestMoment: Int64 = 0
  /// A record of a later moment was made for a change that is in `found` already.
  var reportedSince: Int64 = .max
  private let isStopping: () -> Bool

  private var rules: IgnoreRules
  /// The directory whose path is in `path`, or -1.
  var current: ID = -1
  private var isInsideRoot = true
  /// With a NUL at its end, for the kernel.
  private var path: [UInt8] = []
  /// The place of `current` for the ignore rules; made only where they ask for it.
  private var place: IgnoreRules.Place?
  private var scratch: [UInt8] = []
  let listing = DirectoryListing()
  var filling = FileRecords()

  init(_ scope: WatchScope, notifier: Notifier, isStopping: @escaping () -> Bool = { false }) {
    self.notifier = notifier
    self.isStopping = isStopping
    plan = WatchPlan(scope)
    rules = scope.ignore
  }

  // MARK: What is asked of it

  /// Watches and lists everything, and reports nothing of what it finds.
  func begin() {
    for (index, anchor) in plan.anchors.enumerated() {
      let id = tree.addAnchor(Self.anchorBytes(anchor.path), mode: anchor.mode)
      if index == 0 { root = id }
      visit(id, isReporting: false)
    }
    revisit()
  }

  /// Takes on another scope. What is newly watched is not reported.
  func update(_ scope: WatchScope) {
    let hasOtherRules = scope.ignore != plan.scope.ignore
    plan = WatchPlan(scope)
    current = -1
    let known = Dictionary(
      tree.anchors.map { ($0.value, $0.key) }, uniquingKeysWith: { first, _ in first })
    let wanted = plan.anchors.map { (bytes: Self.anchorBytes($0.path), mode: $0.mode) }
    for (bytes, id) in known where !wanted.contains(where: { $0.bytes == bytes }) {
      drop(id, isReporting: false)
    }
    if hasOtherRules { refilter() }
    for (index, anchor) in wanted.enumerated() {
      if let id = known[anchor.bytes] {
        tree[id].mode = anchor.mode
        reconcile(id)
        if index == 0 { root = id }
      } else {
        let id = tree.addAnchor(anchor.bytes, mode: anchor.mode)
        if index == 0 { root = id }
        visit(id, isReporting: false)
      }
    }
  }

  /// Looks again at what can't be watched, and for what was lost.
  func poll() {
    for (id, error) in failures where !Shortfall.isBeyondReach(error) && tree.isAlive(id) {
      let parent = tree[id].parent
      // A failing parent's visit comes to its children by itself.
      if parent >= 0, let error = failures[parent], !Shortfall.isBeyondReach(error) { continue }
      visit(id, isReporting: true)
    }
    for id in lost { visit(id, isReporting: true) }
  }

  /// True if something must be looked at from time to time.
  var needsPolling: Bool {
    !lost.isEmpty || failures.contains { !Shortfall.isBeyondReach($0.value) }
  }

  /// Looks at everything, after all watches were lost or events were.
  func rescan() {
    tree.clearWatches()
    failures = [:]
    revisits = []
    for id in tree.anchors.keys.sorted() { visit(id, isReporting: true) }
    distrustsTimes = false
  }

  /// Looks at what turned out to have lost its watch.
  func revisit() {
    while let id = revisits.popFirst() {
      guard tree.isAlive(id) else { continue }
      visit(id, isReporting: true)
    }
  }

  var fileCount: Int {
    var files = 0
    for node in tree.nodes where node.isAlive {
      node.records.forEach { _, entry in if !entry.flags.contains(.directory) { files += 1 } }
    }
    return files
  }

  // MARK: What it tells

  /// Hands over what has been found.
  func takeFound() -> [WatchEvent] {
    reportedSince = latestMoment
    defer { found.removeAll(keepingCapacity: found.count < 4096) }
    return found
  }

  /// The moment for a record of something that is seen now.
  func moment() -> Int64 {
    let now = KernelTime.now
    if now > latestMoment { latestMoment = now }
    return now
  }

  // MARK: Looking at directories

  /// Watches and lists a directory, and all below it that is wanted and not watched yet.
  ///
  /// A directory of which nothing is known yet is taken as it is; else what differs is reported.
  func visit(_ start: ID, isReporting: Bool) {
    var stack = [start]
    // The directories above the one at hand, open: a child is opened by one name, not many.
    var above: [(id: ID, descriptor: Int32)] = []
    defer { for directory in above { close(directory.descriptor) } }
    while let id = stack.popLast(), !isStopping() {
      guard tree.isAlive(id) else { continue }
      enter(id)
      let parent = tree[id].parent
      while let last = above.last, last.id != parent {
        close(last.descriptor)
        above.removeLast()
      }
      let directory = parent < 0 ? openAnchor() : open(in: above.last?.descriptor)
      guard directory >= 0 else {
        failed(id, errno)
        continue
      }
      if parent < 0 { arrived(at: directory, id) }
      if arm(id, directory) { list(id, directory, isReporting: isReporting, &stack) }
      if above.count < Self.mostOpen, let next = stack.last, tree.isAlive(id),
        tree.isAlive(next), tree[next].parent == id
      {
        above.append((id, directory))
      } else {
        close(directory)
      }
    }
  }

  /// Below this depth directories are opened by their whole paths.
  private static var mostOpen: Int { 32 }

  /// Opens the current directory, in one step where a descriptor of its parent is at hand.
  private func open(in parent: Int32?) -> Int32 {
    guard let parent, path.count <= Int(PATH_MAX), let slash = path.lastIndex(of: UInt8(ascii: "/"))
    else { return withPath { DirectoryListing.open($0) } }
    return withPath { DirectoryListing.open($0 + slash + 1, in: parent) }
  }

  /// Opens the current directory, also where its path has become a symbolic link.
  private func openAnchor() -> Int32 { withPath { DirectoryListing.open($0, followsLink: true) } }

  private func failed(_ id: ID, _ error: Int32) {
    switch error {
    case ENOENT, ENOTDIR, ELOOP: vanish(id)
    default: failures[id] = error
    }
  }

  /// Watches the current directory, which has been opened. Says whether it is to be listed.
  private func arm(_ id: ID, _ directory: Int32) -> Bool {
    guard tree[id].watch < 0 else { return true }
    guard !doubtsNotification || FileSystemKind.withoutNotification(at: directory) == nil else {
      failures[id] = Shortfall.isUnnotified
      return true
    }
    let isAnchor = tree[id].parent < 0
    for _ in 0..<3 {
      let outcome = withPath { notifier.watch($0, directory, isAnchor: isAnchor) }
      switch outcome {
      case .watched(let watch):
        tree.setWatch(watch, of: id)
        // Of a child that was replaced since it was opened its parent tells. An anchor has none.
        if isAnchor, !isAtPath(directory) {
          tree.clearWatch(id)
          notifier.unwatch(watch)
          revisits.insert(id)
          return false
        }
        if !failures.isEmpty { failures[id] = nil }
        return true
      case .alreadyWatched(let watch):
        if let other = tree.node(forWatch: watch) {
          guard !isCurrent(other) else {
            failures[id] = Shortfall.isMountedTwice
            return true
          }
          tree.clearWatch(other)
          revisits.insert(other)
        }
        notifier.unwatch(watch)
      case .failed(ENOENT), .failed(ENOTDIR), .failed(ELOOP):
        vanish(id)
        return false
      case .failed(let error):
        failures[id] = error
        return !Shortfall.isBeyondReach(error)
      }
    }
    failures[id] = EBUSY
    return true
  }

  private func isAtPath(_ directory: Int32) -> Bool {
    guard let opened = FileStatus(descriptor: directory),
      let here = withPath({ FileStatus(following: $0) })
    else { return false }
    return Stand(here) == Stand(opened)
  }

  /// Tells whether another node's path leads to the directory in `path` still.
  private func isCurrent(_ other: ID) -> Bool {
    var bytes: [UInt8] = []
    tree.appendPath(of: other, to: &bytes)
    guard let here = withPath({ FileStatus(at: $0) }),
      let there = FileStatus(at: FilePath(bytes: bytes))
    else { return false }
    return Stand(here) == Stand(there)
  }

  // MARK: Paths

  /// Makes a directory the one that `path`, `ignores` and `report` speak of.
  func enter(_ id: ID) {
    guard current != id else { return }
    current = id
    place = nil
    path.removeAll(keepingCapacity: true)
    tree.appendPath(of: id, to: &path)
    if path.isEmpty { path.append(UInt8(ascii: "/")) }
    path.append(0)
    isInsideRoot = tree.anchor(of: id) == root
  }

  func ignores(_ name: FileRecords.Name, isDirectory: Bool) -> Bool {
    guard isInsideRoot, rules.hasPathRules else {
      let isAtRoot = current == root
      return rules.ignoresByName(name, isAtRoot: isAtRoot, isDirectory: isDirectory)
    }
    return rules.ignores(Array(name)[...], in: rulesPlace(), isDirectory: isDirectory)
  }

  private func rulesPlace() -> IgnoreRules.Place {
    if let place { return place }
    let anchor = tree.anchors[root]?.count ?? 0
    let made = rules.place(of: Array(path[anchor...].dropLast()).names)
    place = made
    return made
  }

  func report(_ name: FileRecords.Name, _ kind: FileChange.Kind) {
    let path = withPath(of: name) { FilePath(platformString: $0) }
    found.append(.changed(FileChange(path: path, kind: kind)))
  }

  /// Asks `lstat` about an entry of the current directory.
  func status(of name: FileRecords.Name) -> FileStatus? {
    withPath(of: name) { FileStatus(at: $0) }
  }

  private func withPath<Result>(
    of name: FileRecords.Name, _ body: (UnsafePointer<CChar>) -> Result
  ) -> Result {
    scratch.removeAll(keepingCapacity: true)
    scratch.append(contentsOf: path.dropLast())
    if scratch.last != UInt8(ascii: "/") { scratch.append(UInt8(ascii: "/")) }
    scratch.append(contentsOf: name)
    scratch.append(0)
    return Self.withText(scratch, body)
  }

  func withPath<Result>(_ body: (UnsafePointer<CChar>) -> Result) -> Result {
    Self.withText(path, body)
  }

  private static func withText<Result>(
    _ bytes: [UInt8], _ body: (UnsafePointer<CChar>) -> Result
  ) -> Result {
    bytes.withUnsafeBufferPointer { buffer in
      guard let start = buffer.baseAddress else {
        preconditionFailure("an empty path: every path here ends with a NUL")
      }
      return start.withMemoryRebound(to: CChar.self, capacity: buffer.count, body)
    }
  }

  /// The root of all directories is the empty name before a slash.
  static func anchorBytes(_ path: FilePath) -> [UInt8] {
    let bytes = path.bytes
    return bytes == [UInt8(ascii: "/")] ? [] : bytes
  }
}
