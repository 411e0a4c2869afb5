import Testing

@testable import watchbuild

@Suite struct LeadingOptionsTests {
  @Test(arguments: [
    ("-C web build cart", "build cart -C web"),
    ("-q --color=never -f a.yaml dev -- -c opt", "dev -q --color=never -f a.yaml -- -c opt"),
    ("--directory=web config validate", "config validate --directory=web"),
    ("build -C web", "build -C web"),
    ("--version", "--version"), ("-C web --help", "-C web --help"), ("-C", "-C"),
    ("-p fast dev", "dev -p fast"),
    ("-C web", "-C web"), ("", ""),
  ])
  func `options before the command's name are taken as behind it`(given: String, moved: String) {
    let words = given.split(separator: " ").map(String.init)
    #expect(LeadingOptions.moved(words).joined(separator: " ") == moved)
  }
}
