import ArgumentParser
import Logging
import UnixSignals
import Yams

@main
struct Watchbuild: AsyncParsableCommand {
  func run() async throws {}
}
