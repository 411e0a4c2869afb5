import ArgumentParser
import Settings

/// `--bazel`, of every command that runs Bazel.
struct BazelOptions: ParsableArguments {
  @Option(help: ArgumentHelp(setting: \.bazelCommand), completion: .file())
  var bazel: String?
}
