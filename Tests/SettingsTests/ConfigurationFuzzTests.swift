import SystemPackage
import TestSupport
import Testing

@testable import Basics
@testable import Settings

/// Files that are no configuration: each is read, or refused with words.
@Suite(.timeLimit(.minutes(30))) struct ConfigurationFuzzTests {
  private static let good = [
    """
    bazel: {command: bazelisk, options: [--config=dev], watchfs: auto}
    watch: {trigger: poll, pollInterval: 2s, ignore: ["docs/**"]}
    batch: {debounce: 40ms, maxDelay: 1s, onBusyUpdate: queue}
    """,
    """
    images:
      - name: api
        target: //services/api:image.tar
        ref: [registry.local/api:dev, "api:1"]
        options: [--define=flavour=debug]
        requires: [base]
        rollout: {container: api, timeout: 20s}
      - {name: base, target: //base:image}
      - query: 'kind("oci_load", //...)'
        exclude: [//services/legacy/...]
    """,
    """
    load: {to: [docker, "oci:images"], jobs: 4}
    hooks: {afterLoad: [{command: [make, smoke], images: [api]}]}
    profiles:
      podman: &p {load: {to: [podman]}}
      other: *p
    """,
  ].map { Array($0.utf8) }

  @Test func `a file is a configuration or refused with words`() throws {
    var fuzz = Fuzz(
      "configuration",
      words: [
        "&a ", "*a", "!!binary ", "<<: ", "- ", ": ", "\t", "|\n", "? ", "---\n", "%YAML 9.9\n",
        "{",
      ])
    for _ in 0..<fuzz.cases {
      let text = String(decoding: fuzz.mutated(Self.good), as: UTF8.self)
      do {
        _ = try ConfigurationReader.read(text, file: "watchbuild.yaml", directory: "/w")
      } catch {
        #expect("\(error)".contains("watchbuild.yaml"), "\(text)")
      }
    }
  }
}
