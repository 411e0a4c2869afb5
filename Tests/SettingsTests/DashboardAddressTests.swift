import Basics
import Testing

@testable import Settings

struct DashboardAddressTests {
  @Test(
    arguments: [
      ("", "127.0.0.1", nil), ("8080", "127.0.0.1", 8080), ("localhost", "127.0.0.1", nil),
      ("localhost:80", "127.0.0.1", 80), ("127.0.0.2:8080", "127.0.0.2", 8080), ("::1", "::1", nil),
      ("[::1]:8080", "::1", 8080), ("[::1]", "::1", nil),
    ] as [(String, String, Int?)])
  func `a port or an address of the loopback interface is read`(
    text: String, host: String, port: Int?
  ) throws {
    #expect(try SettingText.dashboard(text) == DashboardAddress(host: host, port: port))
  }

  @Test(arguments: [
    "0.0.0.0", "0.0.0.0:8080", "192.168.0.1:80", "shop.example", "[::]:80", "127.0.0.1:0", "70000",
    "127.0.0.1:x", "[::1", "127.0.0", "127.0.0.1.1", ":80",
  ])
  func `every other address is a mistake`(text: String) {
    #expect(throws: InvalidValue.self) { try SettingText.dashboard(text) }
  }
}
