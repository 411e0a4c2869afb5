import Testing

@testable import Processes

struct RedactionTests {
  @Test(arguments: [
    ("bazel build --action_env=TOKEN=s3 //a", "bazel build --action_env=TOKEN=… //a"),
    ("bazel build --action_env=PATH //a", "bazel build --action_env=PATH //a"),
    ("bazel build --action_env TOKEN=s3 //a", "bazel build --action_env TOKEN=… //a"),
    ("bazel build --define=password=s3", "bazel build --define=password=…"),
    (
      "bazel build --define password=s3=x --keep_going",
      "bazel build --define password=… --keep_going"
    ),
    (
      "bazel test --host_action_env=A=s3 --test_env=B=s3",
      "bazel test --host_action_env=A=… --test_env=B=…"
    ),
    ("bazel test --repo_env=A=s3 --client_env=C=s3", "bazel test --repo_env=A=… --client_env=C=…"),
    ("bazel test --remote_header=x-key=s3", "bazel test --remote_header=…"),
    ("bazel test --remote_header x-key=s3 //a", "bazel test --remote_header … //a"),
    (
      "bazel test --remote_cache_header=a=s3 --bes_header=b=s3",
      "bazel test --remote_cache_header=… --bes_header=…"
    ),
    ("bazel test --google_credentials=/home/u/s3.json", "bazel test --google_credentials=…"),
    (
      "bazel test --google_credentials /home/u/s3.json //a", "bazel test --google_credentials … //a"
    ),
    ("bazel test --google_default_credentials //a", "bazel test --google_default_credentials //a"),
    ("bazel test --credential_helper=h.org=/bin/help", "bazel test --credential_helper=h.org=…"),
    (
      "bazel test --remote_cache=https://u:s3@h.org/c",
      "bazel test --remote_cache=https://…@h.org/c"
    ),
    (
      "bazel test --remote_proxy=http://u:s3@[::1]:80",
      "bazel test --remote_proxy=http://…@[::1]:80"
    ),
    (
      "bazel test --bes_results_url=https://h.org/i?sig=s3&to=s3",
      "bazel test --bes_results_url=https://h.org/i?sig=…&to=…"
    ),
    (
      "bazel --host_jvm_args=-Dhttp.proxyPassword=s3 info",
      "bazel --host_jvm_args=-Dhttp.proxyPassword=… info"
    ),
    ("bazel test --test_arg=--api_token=s3", "bazel test --test_arg=--api_token=…"),
    ("bazel build --@rules//flags:secret=s3 -c opt", "bazel build --@rules//flags:secret=… -c opt"),
    ("env GITHUB_TOKEN=s3 A=s3 bazel build //a", "env GITHUB_TOKEN=… A=… bazel build //a"),
    (
      "bazel build --default_override=0:build=--remote_header=k=s3",
      "bazel build --default_override=0:build=--remote_header=…"
    ),
    (
      "bazel build --default_override=1:build=--define=token=s3",
      "bazel build --default_override=1:build=--define=token=…"
    ),
    ("bazel run //a:push -- login -p s3", "bazel run //a:push -- …"),
    ("bazel run -- //a:push login -p s3", "bazel run -- //a:push …"),
    (
      "bazel build -c opt --config=ci --platforms=//p:x -- //a -//b",
      "bazel build -c opt --config=ci --platforms=//p:x -- //a -//b"
    ),
    (
      "bazel build --copt=-DMODE=2 --output_groups=+tarball",
      "bazel build --copt=-DMODE=2 --output_groups=+tarball"
    ),
  ])
  func `of a command line the names stay and the values go`(line: String, shown: String) {
    let words = line.split(separator: " ").map(String.init)
    #expect(Redaction.arguments(words).joined(separator: " ") == shown)
  }

  @Test(arguments: [
    (
      "--remote_headr=k=s3 :: Unrecognized option: --remote_headr=k=s3",
      "--remote_headr=… :: Unrecognized option: --remote_headr=…"
    ),
    (
      "INFO: Build option --define has changed, discarding",
      "INFO: Build option --define has changed, discarding"
    ),
    ("could not fetch https://u:s3@h.org/x.zip: 403", "could not fetch https://…@h.org/x.zip: 403"),
    ("options '--action_env=A=s3', --x", "options '--action_env=A=…', --x"),
    ("no such target '//a:b@c' (a=b)", "no such target '//a:b@c' (a=b)"),
    ("the helper said token=s3.", "the helper said token=…."),
    ("bazel test --remote_header k=s3 //a", "bazel test --remote_header … //a"),
    ("plain words", "plain words"),
  ])
  func `of a message too`(text: String, shown: String) {
    #expect(Redaction.text(text) == shown)
  }
}
