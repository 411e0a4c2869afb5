import Events
import Session

/// How one image stands, as its tile shows it.
package struct Tile: Equatable, Encodable, Sendable {
  package enum State: String, Encodable, Sendable {
    case current, building, loading, rolling, failed, owed, held
  }

  package var name: String
  package var target: String
  package var state: State
  /// Why it is owed, or what it failed of.
  package var why: String?
  /// All its names in the runtime.
  package var refs: [String]
  package var id: String?
  /// RFC 3339.
  package var loadedAt: String?
  package var runtimes: [String]
  /// How far its build or load has got, from 0 to 1; `nil`: nobody knows.
  package var progress: Double?
  /// How long its latest load took.
  package var ms: Int?

  /// - Parameters:
  ///   - image: As the loop knows it.
  ///   - work: What is being done to it.
  init(_ image: StatusReport.Image, work: ImageWork?) {
    name = image.name
    target = image.target
    why = image.owed?.text
    let loads = image.loaded?.events ?? []
    let told = loads.flatMap { $0.refs ?? [] }
    refs =
      told.isEmpty ? image.refs : told.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    id = loads.compactMap(\.id).first
    loadedAt = image.loaded?.time
    runtimes = loads.compactMap(\.runtime)
    ms = loads.compactMap(\.ms).max()
    if let work {
      progress = work.progress
      state =
        switch work.step {
        case .build: .building
        case .load: .loading
        case .rollout: .rolling
        }
      return
    }
    switch image.owed?.reason {
    case nil: state = .current
    case "failed", "bazelFailed", "loadFailed", "rolloutFailed":
      state = .failed
      let failure = image.last?.events.first { $0.status == .failed }?.error
      why = failure ?? why
    case "heldUp": state = .held
    default: state = .owed
    }
  }

  /// An image of which no more than its name is known yet.
  init(name: String, target: String, ref: String?) {
    self.name = name
    self.target = target
    state = .owed
    why = "watchbuild is starting"
    refs = ref.map { [$0] } ?? []
    runtimes = []
  }
}

/// What is being done to an image.
struct ImageWork: Equatable, Sendable {
  enum Step: Sendable { case build, load, rollout }

  var step: Step
  /// From 0 to 1.
  var progress: Double?
}
