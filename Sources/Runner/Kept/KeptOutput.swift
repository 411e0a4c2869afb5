package import Basics
import Bazel
import Synchronization
import SystemPackage

/// Keeps what compilers and Bazel printed in a run, whole, on disk: of each cycle, and of each image in it.
///
/// `CYCLE.log` is what Bazel printed, without its progress. `CYCLE-IMAGE.log` is what the actions printed that
/// an image depends on: all of those that failed, and the warnings of those that did not. What can't be written is
/// missing from `watchbuild logs` and hurts nothing else, so errors are not reported.
package final class KeptOutput: Sendable {
  /// Its name in the state directory.
  package static let directoryName = "log"

  private static let cyclesKept = 20
  /// Bytes of one file at most.
  static let largestFile = 4 << 20
  /// Bytes of one run at most. The oldest cycles go first.
  static let largestRun = 32 << 20

  private struct State {
    var isTidy = false
    /// Sizes of the files by cycle.
    var sizes: [Int: [String: Int]] = [:]
  }

  private let runs: RunDirectories
  private let state = Mutex(State())
  private let largestFile: Int
  private let largestRun: Int

  /// - Parameter runs: Where the runs lie; made with the first output.
  package convenience init(in runs: PrivateDirectory) {
    self.init(in: runs, largestFile: Self.largestFile, largestRun: Self.largestRun)
  }

  init(in runs: PrivateDirectory, largestFile: Int, largestRun: Int) {
    self.runs = RunDirectories(in: runs)
    self.largestFile = largestFile
    self.largestRun = largestRun
  }

  /// Keeps lines that Bazel printed.
  func add(_ lines: String, cycle: Int) {
    state.withLock { append(lines + "\n", to: "\(cycle).log", of: cycle, &$0) }
  }

  /// Keeps what an action printed for the images that depend on it.
  func add(_ output: ActionOutput, for images: [String], cycle: Int) {
    let text = "\(output.title):\n\(output.text)\n"
    state.withLock { state in
      for image in images { append(text, to: Self.name(image, cycle), of: cycle, &state) }
    }
  }

  /// Keeps why an image failed of which no action printed anything, as where a BUILD file is broken.
  func add(failure: String, of image: String, cycle: Int) {
    state.withLock { state in
      let name = Self.name(image, cycle)
      guard state.sizes[cycle]?[name] == nil else { return }
      append("\(image) failed: \(failure)\n", to: name, of: cycle, &state)
    }
  }

  /// The file that holds what was printed of an image, else what was printed in the cycle; `nil` where there is none.
  func file(of image: String?, cycle: Int) -> FilePath? {
    state.withLock { state in
      guard let sizes = state.sizes[cycle], let directory = directory(&state) else { return nil }
      let names = [image.map { Self.name($0, cycle) }, "\(cycle).log"]
      return names.compactMap(\.self).first { sizes[$0] != nil }.map(directory.path.appending)
    }
  }

  /// An image's name may hold a slash.
  static func name(_ image: String, _ cycle: Int) -> String {
    "\(cycle)-\(image.percentEncoded.prefix(200)).log"
  }

  private func append(_ text: String, to name: String, of cycle: Int, _ state: inout State) {
    let size = state.sizes[cycle]?[name] ?? 0
    guard size < largestFile, let directory = directory(&state) else { return }
    var bytes = Array(text.utf8)
    if size + bytes.count > largestFile {
      bytes = bytes.prefix(largestFile - size) + Array("\n… the rest was not kept\n".utf8)
    }
    // See above: what can't be kept is missing later.
    guard
      let file = try? directory.open(
        name, .writeOnly, options: size == 0 ? [.create, .truncate] : [.create, .append])
    else { return }
    guard (try? file.closeAfter { try file.writeAll(bytes) }) != nil else { return }
    state.sizes[cycle, default: [:]][name] = size + bytes.count
    tidy(&state, in: directory, keeping: cycle)
  }

  /// Removes the oldest cycles where there are too many, or where they are too large.
  private func tidy(_ state: inout State, in directory: OpenDirectory, keeping cycle: Int) {
    var total = state.sizes.values.reduce(0) { $0 + $1.values.reduce(0, +) }
    for (old, sizes) in state.sizes.sorted(by: { $0.key < $1.key }) where old != cycle {
      guard state.sizes.count > Self.cyclesKept || total > largestRun else { return }
      for name in sizes.keys { directory.remove(name) }
      total -= sizes.values.reduce(0, +)
      state.sizes[old] = nil
    }
  }

  private func directory(_ state: inout State) -> OpenDirectory? {
    defer { state.isTidy = true }
    return runs.own(isFirst: !state.isTidy)
  }
}
