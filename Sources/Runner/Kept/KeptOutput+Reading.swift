package import Basics
package import SystemPackage

extension KeptOutput {
  /// Reads the output that was kept of one cycle, or of an image in it.
  package struct Log: Hashable, Sendable {
    package var cycle: Int
    package var file: FilePath
    package var text: [UInt8]
  }

  /// Looks for what was kept.
  ///
  /// - Parameters:
  ///   - image: Of this image alone; `nil`: of whole cycles.
  ///   - cycle: Of this one; `nil`: of the latest that has any.
  ///   - runs: Where the runs lie. The latest one that printed anything is asked.
  /// - Returns: `nil` where nothing was kept.
  /// - Throws: `UntrustedFile`; `Errno`.
  package static func log(
    of image: String?, cycle: Int?, in runs: PrivateDirectory
  ) throws -> Log? {
    // What an earlier run printed says nothing of what there is now.
    let latest = try RunDirectories(in: runs).all().first { !$0.names.isEmpty }
    guard let run = latest else { return nil }
    let cycles = run.names.compactMap { name -> Int? in
      guard let cycle = Int(name.prefix { $0.isNumber }) else { return nil }
      return name == image.map({ Self.name($0, cycle) }) ?? "\(cycle).log" ? cycle : nil
    }
    guard let found = cycle.map({ cycles.contains($0) ? $0 : nil }) ?? cycles.max() else {
      return nil
    }
    let name = image.map { Self.name($0, found) } ?? "\(found).log"
    // One that is being removed is none any more.
    guard let text = try run.read(name, limit: largestFile + (64 << 10)) else { return nil }
    return Log(cycle: found, file: run.path.appending(name), text: text)
  }

  /// The cycles of the latest run of which something was kept, in their order.
  package static func cycles(in runs: PrivateDirectory) throws -> [Int] {
    for run in try RunDirectories(in: runs).all() {
      let cycles = Set(run.names.compactMap { Int($0.prefix { $0.isNumber }) })
      if !cycles.isEmpty { return cycles.sorted() }
    }
    return []
  }
}
