extension LocalRequest {
  /// Names that a client of this machine may call us by: `curl --unix-socket` and ours.
  private static let hosts: Set = ["localhost", "watchbuild"]

  /// A page in a browser sends where it comes from, or another host's name: neither is ours to serve.
  var isForged: Bool {
    let hosts = self["Host"]
    guard hosts.count == 1, self["Origin"].isEmpty else { return true }
    let host = hosts[0].split(separator: ":", maxSplits: 1).first.map(String.init) ?? ""
    return !Self.hosts.contains(host.lowercased())
  }
}
