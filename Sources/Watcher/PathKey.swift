import Glibc
package import SystemPackage

/// A path as the key of a dictionary: its bytes are hashed at once, the path's own hash goes one by one.
package struct PathKey: Hashable, Sendable {
  package let path: FilePath

  package init(_ path: FilePath) { self.path = path }

  package func hash(into hasher: inout Hasher) {
    path.withPlatformString {
      hasher.combine(bytes: UnsafeRawBufferPointer(start: $0, count: path.length))
    }
  }

  package static func == (left: PathKey, right: PathKey) -> Bool {
    let length = left.path.length
    guard length == right.path.length else { return false }
    return left.path.withPlatformString { left in
      right.path.withPlatformString { memcmp(left, $0, length) == 0 }
    }
  }
}
