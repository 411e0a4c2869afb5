import Testing

@testable import Runtimes

@Suite struct WebOriginTests {
  @Test(arguments: [
    ("https://Registry.Example/v2/", "https://registry.example"),
    ("HTTPS://registry.example:443", "https://registry.example"),
    ("http://localhost:5000/v2/?a=https://x", "http://localhost:5000"),
    ("http://[::1]:80/", "http://[::1]"),
    ("https://registry.example:5000#@other", "https://registry.example:5000"),
  ])
  func `an origin is its scheme, host and port`(address: String, origin: String) {
    #expect(WebOrigin(address)?.description == origin)
  }

  @Test(arguments: [
    "", "registry.example", "/v2/", "//other/v2/", "ftp://x/", "https://", "https:///v2",
    "https://registry.example@other/", "https://registry.example:pass@other/",
    "https://registry.example\\@other/", "https://registry.example:5000x/", "https://a:/",
    "https://a:99999/", "https://a b/", "https://[::1", "https://[localhost]/", "https://ä/",
    "https://registry.example%2eother/", "https://a/\r\nX: y", "javascript://a",
  ])
  func `what could be read in two ways is none`(address: String) {
    #expect(WebOrigin(address) == nil)
  }

  @Test(arguments: [
    ("localhost:5000", true), ("127.0.0.1", true), ("127.1.2.3:80", true), ("[::1]:5000", true),
    ("127.0.0.1.example.com", false), ("127.example.com:5000", false), ("localhost.example", false),
    ("0.0.0.0:5000", false), ("[::2]:5000", false), ("128.0.0.1", false), ("127.0.0.256", false),
  ])
  func `only this machine's own names are local`(host: String, isLocal: Bool) throws {
    #expect(try #require(RegistryAddress(host)).isLocal == isLocal)
  }

  @Test(arguments: [
    ("https://other/x", "https://other/x"), ("/v2/y?a=b", "http://a:1/v2/y?a=b"),
    ("z", "http://a:1/v2/x/z"), ("//other/y", "http://a:1//other/y"), ("?q", "http://a:1/v2/x/?q"),
  ])
  func `a location may leave out what is known`(location: String, expected: String) {
    #expect(WebOrigin.resolve(location, against: "http://a:1/v2/x/uploads?state=1/2") == expected)
  }

  @Test(arguments: ["[::1]", "[::1]:5000/team", "[fe80::1]/a/b"])
  func `an IPv6 address is a registry's address`(text: String) {
    #expect(RegistryAddress(text)?.description == text)
  }

  @Test(arguments: ["[", "[]", "[::1", "[::1]x", "[::1].example", "[a]:1", "[::1]:x", "[::1]/UP"])
  func `half an IPv6 address is none`(text: String) {
    #expect(RegistryAddress(text) == nil)
  }

  @Test func `others' words are made fit for a terminal`() {
    let words = "denied\u{1B}[2J\r\nby \u{202E}us" + String(repeating: "!", count: 5000)
    let printed = RegistryClient.printable(words)
    #expect(printed.hasPrefix("denied [2J by us!!!"))
    #expect(printed.count == 300)
  }
}
