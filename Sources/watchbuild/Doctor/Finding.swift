import Basics

/// The result of one check of `doctor`.
struct Finding: Equatable, Sendable, Encodable {
  enum Status: String, Sendable, Encodable {
    case ok
    case warn
    case error
  }

  var check: String
  var status: Status
  var message: String
  /// The remedy; `nil` when nothing has to be done.
  var remedy: String?

  init(_ check: String, _ status: Status, _ message: String, remedy: String? = nil) {
    self.check = check
    self.status = status
    self.message = message
    self.remedy = remedy
  }

  init(_ check: String, _ problem: Problem) {
    let place = problem.location.map { "\($0): " } ?? ""
    let more = problem.others.isEmpty ? "" : " (and \(problem.others.count) more)"
    self.init(check, .error, place + problem.message + more, remedy: problem.hint)
  }

  /// The last line: `12 checks: 10 ok, 1 warning, 1 error`.
  static func summary(_ findings: [Finding]) -> String {
    func count(_ status: Status) -> Int { findings.count { $0.status == status } }
    var parts = ["\(count(.ok)) ok"]
    if count(.warn) > 0 { parts.append(Quantity.text(count(.warn), "warning")) }
    if count(.error) > 0 { parts.append(Quantity.text(count(.error), "error")) }
    return Quantity.text(findings.count, "check") + ": " + parts.joined(separator: ", ")
  }

  /// One line: `warn inotify: … → remedy`.
  func line(usesColor: Bool) -> String {
    let color: TextColor =
      switch status {
      case .ok: .success
      case .warn: .warning
      case .error: .failure
      }
    let word = usesColor ? color.applied(to: status.rawValue) : status.rawValue
    let advice = remedy.map { " → \($0)" } ?? ""
    return word + Terminal.escaped(" \(check): \(message)\(advice)")
  }
}
