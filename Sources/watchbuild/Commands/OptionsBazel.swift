import ArgumentParser

/// `--bazel`, of every command that runs Bazel.
struct BazelOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The Bazel or Bazelisk to run. (default: $BAZEL, else bazel)", valueName: "path"),
    completion: .file())
  var bazel: String?
}
