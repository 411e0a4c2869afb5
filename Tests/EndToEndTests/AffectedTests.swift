import Foundation
import TestSupport
import Testing

extension CommandTests {
  /// `watchbuild affected`: answers from queries alone.
  @Suite struct AffectedTests {
    private struct Answer: Decodable {
      struct Image: Decodable {
        var image: String
        var target: String
        var path: [String]?
      }
      var images: [Image]
    }

    private let storefront: Storefront

    init() throws { storefront = try #require(StorefrontScope.storefront) }

    private func affected(_ arguments: String...) async throws -> CommandRun {
      try await storefront.workspace.run(["affected"] + arguments)
    }

    private static let all = "cart\ncatalog\ncheckout\npayments\nweb\n"

    @Test(arguments: [
      (["services/cart/src/cart.routes"], "cart\n"),
      (["services/web/src/index.routes", "services/cart/BUILD.bazel"], "cart\nweb\n"),
      (["//services/cart:src/cart.routes"], "cart\n"), (["//services/web:image"], "web\n"),
      (["services/payments"], "payments\n"),
      (["-C", "services", "cart/src", "./web/../payments"], "cart\npayments\n"),
      (["lib"], all), (["rules/image.bzl"], all), (["WORKSPACE"], all),
      (["README.md"], ""), (["/etc/passwd"], ""),
    ])
    func `a path's images are told, and nothing is built`(
      arguments: [String], expected: String
    ) async throws {
      let commands = storefront.commands().count
      let run = try await storefront.workspace.run(["affected"] + arguments)
      #expect(run.exit == 0)
      #expect(run.output == expected)
      #expect(run.errors == "")
      #expect(Set(storefront.commands().dropFirst(commands)) == ["query"])
    }

    @Test func `the way from the file to the image is shown`() async throws {
      let run = try await affected("services/cart/src/cart.routes", "--why")
      #expect(
        run.output == """
          cart: //services/cart:src/cart.routes → //services/cart:cart → \
          //services/cart:image_app → //services/cart:image

          """)
    }

    @Test func `the answer can be read by a program`() async throws {
      let run = try await affected("lib/src/health.routes", "--why", "--json")
      let answer = try JSONDecoder().decode(Answer.self, from: Data(run.output.utf8))
      #expect(answer.images.map(\.image) == Storefront.images)
      #expect(answer.images.first?.target == "//services/cart:image")
      #expect(answer.images.first?.path?.first == "//lib:src/health.routes")
      #expect(answer.images.first?.path?.last == "//services/cart:image")
      let none = try await affected("README.md", "--json")
      #expect(none.output == "{\"images\":[]}\n")
    }

    @Test(arguments: [
      ("nosuch.txt", "no such file: nosuch.txt"), ("no/such/directory", "no such file: no/such/"),
      ("//lib:nosuch", "no image depends on a file or target named //lib:nosuch"),
      ("@ext//:nosuch", "no image depends on a file or target named @ext//:nosuch"),
      ("//services/...", "'//services/...' is a pattern, not a label"),
      ("//lib:", "'//lib:' is no label"), ("@none", "no image depends on"),
    ])
    func `what is not there is an error`(argument: String, message: String) async throws {
      for command in [
        ["affected", argument], ["build", "--load", "none", "--affected-by", argument],
      ] {
        let run = try await storefront.workspace.run(command)
        #expect(run.exit == 2)
        #expect(run.output == "")
        #expect(run.errors.contains("watchbuild: error: \(message)"))
      }
    }

    @Test func `a path is needed`() async throws {
      let run = try await affected()
      #expect(run.exit == 2)
      #expect(run.output == "")
      #expect(run.errorLines.first == "watchbuild: error: Missing expected argument '<path> ...'")
    }
  }
}
