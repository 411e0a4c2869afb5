package import Events
package import FoundationEssentials
package import Session

/// The ways from the dashboard into the run: it shows what they give, and does what they allow.
package struct DashboardSources: Sendable {
  package var hub: EventHub
  /// How the loop is now.
  package var status: @Sendable () -> StatusReport
  /// Triggers, pauses, resumes, and gives the output that is kept.
  package var control: ControlAPI
  /// Tells why a path affects images.
  package var why: @Sendable (String) async -> WhyAnswer
  /// Gives the trace of a cycle; `nil`: none is kept.
  package var trace: @Sendable (Int) async -> [UInt8]? = { _ in nil }
  /// Looks at disks and limits.
  package var look: @Sendable () async -> Surroundings = { Surroundings() }
  package var clock: any Clock<Duration> = ContinuousClock()
  /// The time of day.
  package var now: @Sendable () -> Date = { Date() }

  package init(
    hub: EventHub, control: ControlAPI, why: @escaping @Sendable (String) async -> WhyAnswer
  ) {
    self.hub = hub
    self.control = control
    self.why = why
    status = control.status
  }
}
