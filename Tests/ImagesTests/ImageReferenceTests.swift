import Images
import Testing

@Suite struct ImageReferenceTests {
  @Test(arguments: [
    ("api", "api", "latest"),
    ("api:dev", "api", "dev"),
    ("lab/api:v1.2_3-4", "lab/api", "v1.2_3-4"),
    ("registry.local:5000/team/api", "registry.local:5000/team/api", "latest"),
    ("registry.local:5000/team/api:dev", "registry.local:5000/team/api", "dev"),
    ("localhost/a__b/c--d.e:dev", "localhost/a__b/c--d.e", "dev"),
  ])
  func `a name and its tag are told apart`(text: String, name: String, tag: String) {
    let reference = ImageReference(text)
    #expect(reference?.name == name)
    #expect(reference?.tag == tag)
    #expect(reference?.description == "\(name):\(tag)")
  }

  @Test(arguments: [
    "", ":dev", "api:", "Api:dev", "lab/API", "api:-dev", "a..b", "a___b", "-api", "api-", "/api",
    "lab//api", "api dev", "api@sha256:\(String(repeating: "a", count: 64))", "api:dev:dev",
    "host:port/api", "api:\(String(repeating: "x", count: 129))", "../api", "api?x=1",
  ])
  func `text that Docker would refuse as a name is refused`(text: String) {
    #expect(ImageReference(text) == nil)
  }

  @Test(arguments: [
    ("api:dev", "docker.io/library/api:dev"),
    ("lab/api:dev", "docker.io/lab/api:dev"),
    ("registry.local/api:dev", "registry.local/api:dev"),
    ("localhost/api:dev", "localhost/api:dev"),
    ("docker.io/api:dev", "docker.io/library/api:dev"),
    ("registry:5000/api:dev", "registry:5000/api:dev"),
  ])
  func `the full name is the one that containerd stores`(text: String, full: String) {
    #expect(ImageReference(text)?.normalized == full)
  }
}
