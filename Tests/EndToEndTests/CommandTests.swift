import Testing

/// The commands on the storefront: one workspace, one Bazel server, one test after the other.
///
/// Each test leaves the files as it found them.
@Suite(.serialized, .bazel, .timeLimit(.minutes(10)), .eachBazel, .storefront)
enum CommandTests {}
