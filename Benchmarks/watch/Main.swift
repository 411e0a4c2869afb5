import Glibc
import SystemPackage

/// `bench-watch setup|churn|latency|burst|idle DIR [...]`: one figure of the watcher, for `run`.
@main struct Main {
  static func main() async throws {
    let words = CommandLine.arguments
    guard words.count > 2 else { return usage() }
    let root = FilePath(words[2])
    let number = words.count > 3 ? Int(words[3]) ?? 0 : 0
    switch words[1] {
    case "setup": try await Watching.setup(root)
    case "churn": try await Watching(root).churn(number)
    case "latency": try await Watching(root).latency(number)
    case "burst": try await Watching(root).burst(files: number, writer: Array(words[4...]))
    case "idle": try await Watching(root).idle(UInt32(number))
    default: usage()
    }
  }

  private static func usage() {
    print("usage: bench-watch setup|churn|latency|burst|idle DIR [...]")
    exit(2)
  }
}
