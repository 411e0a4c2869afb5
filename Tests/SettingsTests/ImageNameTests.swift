import Graph
import Testing

@testable import Settings

struct ImageNameTests {
  @Test(arguments: [
    ("//services/api:image.tar", "api"), ("//api", "api"), ("//:image", "image"),
    ("@ext//a/b:c", "b"),
  ])
  func `an image is called after its package`(_ label: String, _ name: String) throws {
    #expect(try ImageName.short(for: #require(Label(label))) == name)
  }

  /// Labels, names that are taken, and what each label gets.
  static let cases: [([String], Set<String>, [String])] = [
    (["//shop/api:image", "//shop/web:image"], [], ["api", "web"]),
    (["//shop/api:image", "//admin/api:image"], [], ["shop/api", "admin/api"]),
    (["//api:a", "//api:b"], [], ["api/a", "api/b"]),
    (["//shop/api:image"], ["api"], ["shop/api"]),
    (["//api:image", "//shop/api:image"], [], ["api/image", "shop/api"]),
    (["//x/api:a", "//x/api:b", "//y/api:c"], [], ["x/api/a", "x/api/b", "y/api"]),
    (["//:a", "//:b"], [], ["a", "b"]),
    (["@one//api:i", "@two//api:i"], [], ["one/api", "two/api"]),
    (["//api:image", "//api:image"], [], ["api", "api"]),
  ]

  @Test(arguments: cases)
  func `images that share a name are told apart by their path`(
    _ texts: [String], _ taken: Set<String>, _ expected: [String]
  ) throws {
    let labels = try texts.map { try #require(Label($0)) }
    let names = ImageName.unique(for: labels, taken: taken)
    #expect(labels.map { names[$0] } == expected)
  }

  @Test(arguments: cases)
  func `names do not depend on the order of the labels`(
    _ texts: [String], _ taken: Set<String>, _ expected: [String]
  ) throws {
    let labels = try texts.map { try #require(Label($0)) }
    let forward = ImageName.unique(for: labels, taken: taken)
    #expect(forward == ImageName.unique(for: labels.reversed(), taken: taken))
  }
}
