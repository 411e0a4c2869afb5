import Foundation
import SystemPackage
import TestSupport
import Testing

extension CommandTests {
  /// The commands that look but do not touch: `doctor`, `config`, `--help`, `--version`.
  @Suite struct DoctorTests {
    private struct Finding: Decodable {
      var check: String
      var status: String
      var message: String
      var remedy: String?
    }

    private let storefront: Storefront
    private var workspace: BazelWorkspace { storefront.workspace }

    init() throws { storefront = try #require(StorefrontScope.storefront) }

    @Test(.docker) func `a healthy workspace has nothing to be put right`() async throws {
      let docker = try await DockerDaemon.shared()
      let run = try await workspace.run(["doctor"], docker: docker.host)
      #expect(run.exit == 0)
      #expect(run.errors == "")
      let lines = run.output.split(separator: "\n")
      for check in ["workspace", "configuration", "state", "bazel", "inotify", "docker"] {
        #expect(lines.filter { $0.hasPrefix("ok \(check): ") }.count == 1, "\(check): \(lines)")
      }
      #expect(lines.contains("ok load: auto: dev loads into docker"), "\(lines)")
      #expect(lines.last?.hasPrefix("\(lines.count - 1) checks: ") == true)

      let json = try await workspace.run(["doctor", "--json"], docker: docker.host)
      #expect(json.exit == 0)
      let findings = try JSONDecoder().decode([Finding].self, from: Data(json.output.utf8))
      #expect(findings.first { $0.check == "docker" }?.message.contains(docker.host) == true)
      #expect(findings.first { $0.check == "workspace" }?.message == workspace.root.string)
    }

    @Test func `what is wrong comes with a remedy`() async throws {
      let docker = try await workspace.run(["doctor", "--json"])
      #expect(docker.exit == 0)
      var findings = try JSONDecoder().decode([Finding].self, from: Data(docker.output.utf8))
      let missing = findings.first { $0.check == "docker" }
      #expect(missing?.status == "warn")
      #expect(missing?.remedy?.contains("systemctl start docker") == true)

      let bazel = try await workspace.run(["doctor", "--json"], environment: ["PATH": "/nowhere"])
      #expect(bazel.exit == 2)
      findings = try JSONDecoder().decode([Finding].self, from: Data(bazel.output.utf8))
      #expect(findings.filter { $0.status == "error" }.map(\.check) == ["bazel"])

      let given = try await workspace.run([
        "doctor", "--bazel", "/nowhere/bazel", "--load", "registry:localhost:1", "--json",
      ])
      #expect(given.exit == 2)
      findings = try JSONDecoder().decode([Finding].self, from: Data(given.output.utf8))
      let errors = findings.filter { $0.status == "error" }
      #expect(errors.contains { $0.check == "bazel" && $0.message.contains("/nowhere/bazel") })
      #expect(errors.contains { $0.check.hasPrefix("registry") }, "\(errors)")
      #expect(!findings.contains { $0.check == "load" })
    }

    @Test func `init writes the images found, and keeps a file that is there`() async throws {
      let path = "\(workspace.root)/found.yaml"
      defer { unlink(path) }
      let shown = try await workspace.run(["init", "--stdout"])
      #expect(shown.exit == 0, "\(shown.errors)")
      for image in Storefront.images {
        #expect(shown.output.contains("- name: \(image)\n  target: //services/\(image):"))
      }

      let written = try await workspace.run(["init", "-f", "found.yaml"])
      #expect(written.exit == 0, "\(written.errors)")
      #expect(written.output == "wrote \(path): \(Storefront.images.count) images\n")
      #expect(try String(contentsOfFile: path, encoding: .utf8) == shown.output)
      let checked = try await workspace.run(["config", "validate", "-f", "found.yaml"])
      #expect(checked.output == "found.yaml: ok (\(Storefront.images.count) images)\n")

      let kept = try await workspace.run(["init", "-f", "found.yaml"])
      #expect(kept.exit == 2)
      #expect(kept.errors.contains("found.yaml is there already; pass --force to replace it"))
      try "images: [".write(toFile: path, atomically: true, encoding: .utf8)
      #expect(try await workspace.run(["init", "--force", "-f", "found.yaml"]).exit == 0)
      #expect(try String(contentsOfFile: path, encoding: .utf8) == shown.output)
    }

    @Test func `a configuration is validated, and a mistake told with its place`() async throws {
      let none = try await workspace.run(["config", "validate"])
      #expect(none.exit == 0)
      #expect(none.output.contains("no watchbuild.yaml"))

      try workspace.write(
        "watchbuild.yaml",
        "images:\n  - name: cart\n    target: //services/cart:image\n    plattform: //:arm\n")
      defer { workspace.remove("watchbuild.yaml") }
      let wrong = try await workspace.run(["config", "validate"])
      #expect(wrong.exit == 2)
      #expect(wrong.output == "")
      #expect(
        wrong.errors == """
          watchbuild.yaml:4:5: error: unknown key 'plattform' (did you mean 'platform'?)

          """)
      let doctor = try await workspace.run(["doctor"])
      #expect(doctor.exit == 2)
      #expect(doctor.output.contains("error configuration: watchbuild.yaml:4:5"))

      try workspace.write(
        "watchbuild.yaml", "images:\n  - name: cart\n    target: //services/cart:image\n")
      let right = try await workspace.run(["config", "validate"])
      #expect(right.exit == 0)
      #expect(right.output.hasPrefix("watchbuild.yaml: ok"))
    }

    @Test func `version and help are what was asked for`() async throws {
      let commands = storefront.commands().count
      let version = try await workspace.run(["--version"])
      #expect(version.exit == 0)
      #expect(
        version.output.wholeMatch(of: /watchbuild \d+\.\d+\.\d+\S*\n|\d+\.\d+\.\d+\S*\n/) != nil)
      for command in [[], ["dev"], ["build"], ["affected"], ["doctor"], ["config", "validate"]] {
        // Outside of any workspace too.
        let help = try await workspace.run(command + ["--help"], in: workspace.home)
        #expect(help.exit == 0)
        #expect(help.output.contains("USAGE: watchbuild"))
        #expect(help.errors == "")
      }
      #expect(storefront.commands().count == commands)
    }
  }
}
