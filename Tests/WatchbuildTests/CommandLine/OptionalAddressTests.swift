import Testing

@testable import watchbuild

struct OptionalAddressTests {
  @Test(arguments: [
    ("dev --ui", "dev --ui=127.0.0.1"), ("dev --ui cart", "dev --ui=127.0.0.1 cart"),
    ("dev --ui 8080 cart", "dev --ui=8080 cart"), ("dev --ui [::1]:80", "dev --ui=[::1]:80"),
    ("dev --ui //cart:image", "dev --ui=127.0.0.1 //cart:image"),
    ("dev --ui :image", "dev --ui=127.0.0.1 :image"),
    ("dev --ui --postpone", "dev --ui=127.0.0.1 --postpone"), ("dev --ui=8080", "dev --ui=8080"),
    ("dev -- --ui", "dev -- --ui"), ("dev --ui -- -c opt", "dev --ui=127.0.0.1 -- -c opt"),
    ("dev --ui 0.0.0.0:80", "dev --ui=0.0.0.0:80"),
  ])
  func `the word behind the option is its address only where it looks like one`(
    given: String, complete: String
  ) {
    let words = given.split(separator: " ").map(String.init)
    #expect(OptionalAddress.completed(words).joined(separator: " ") == complete)
  }
}
