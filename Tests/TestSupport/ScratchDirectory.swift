import Glibc
package import SystemPackage

/// Runs `body` with an empty directory, which is then removed with all that is in it.
package func withScratchDirectory<Value>(
  _ body: (FilePath) async throws -> Value
) async throws -> Value {
  let path = try makeScratchDirectory()
  defer { removeScratchDirectory(path) }
  return try await body(path)
}

/// Short, because the path of a socket has at most 107 bytes.
func makeScratchDirectory() throws -> FilePath {
  var template = Array("/tmp/wb-XXXXXX".utf8CString)
  let made = template.withUnsafeMutableBufferPointer { buffer in
    buffer.baseAddress.flatMap { mkdtemp($0) }.map { FilePath(platformString: $0) }
  }
  guard let made else { throw Errno(rawValue: errno) }
  return made
}

func removeScratchDirectory(_ path: FilePath) {
  // What can't be removed is left to /tmp's own cleaning.
  _ = try? Tool.run("rm", ["-rf", path.string])
}
