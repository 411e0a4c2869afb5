import Basics
import Graph
import Images
import Processes

/// Has a workload of a Kubernetes cluster run an image, by kubectl.
///
/// The workload is given the image's content tag. Under one tag for all, a restart "succeeds" with the old image.
struct KubernetesRollout: Rollout {
  private static let interval = Duration.milliseconds(500)

  let kind = "kubernetes"
  /// Such as `deployment/api`.
  let resource: String
  let container: String?
  let namespace: String?
  /// `nil`: the current one.
  let context: String?
  let rule: RolloutRule
  let runner: any CommandRunner
  let clock: any Clock<Duration>

  var target: String {
    let place = [namespace.map { "namespace \($0)" }, context.map { "context \($0)" }]
      .compactMap(\.self)
    return (["kubernetes \(resource)"] + place).joined(separator: ", ")
  }
  var lane: String { target }

  func roll(_ image: RolledImage) async throws -> RolloutResult {
    guard let tagged = image.reference.contentTag(image.configDigest)?.description else {
      throw RolloutError("\(image.reference) can't be given a content tag")
    }
    let workload = KubernetesWorkload(try await json(["get", resource]))
    let container = try workload.container(named: container, for: image.reference)
    let isChanged = container.image != tagged
    if isChanged {
      try checkPolicy(of: container, image)
      try await kubectl(["set", "image", resource, "\(container.name)=\(tagged)"])
    }
    guard rule.verification == .live else {
      return RolloutResult(isChanged: isChanged, isLive: false)
    }
    try await watch(workload, container.name, tagged)
    return RolloutResult(isChanged: isChanged, isLive: true)
  }

  /// Says beforehand what would end in `ErrImagePull`.
  private func checkPolicy(
    of container: KubernetesWorkload.Container, _ image: RolledImage
  ) throws {
    // What a registry holds may be pulled as often as it likes.
    let isSideLoaded = !image.loaded.keys.contains { $0.hasPrefix("registry:") }
    guard container.pullPolicy == "Always", isSideLoaded else { return }
    throw RolloutError(
      "container \(container.name) has imagePullPolicy Always, so that the nodes would look in a registry for an "
        + "image that is loaded into them (Kubernetes sets it by itself for ':latest' or no tag)",
      hint: "write 'imagePullPolicy: IfNotPresent' at the container, and apply it")
  }

  /// Waits until every pod that is to stay is ready with the image, and for two seconds more.
  private func watch(
    _ workload: KubernetesWorkload, _ container: String, _ image: String
  ) async throws {
    var elapsed = Duration.zero
    var up: Duration?
    let question =
      workload.isPod ? ["get", resource] : ["get", "pods", "-l", workload.selector]
    while true {
      switch KubernetesPods(try await json(question)).verdict(container: container, image: image) {
      case .live:
        let since = up ?? elapsed
        up = since
        if elapsed - since >= LifeSigns.proof { return }
      case .undecided: up = nil
      case .failed(let problem, let pod, let hint):
        throw RolloutError(
          problem, hint: hint, log: await lastLines(of: pod, container), isOfImage: hint == nil)
      }
      guard elapsed < rule.timeout else {
        throw RolloutError(
          "not every pod is ready with \(image) after \(rule.timeout)",
          hint: "see 'kubectl describe \(resource)'", isOfImage: true)
      }
      try await clock.pause(for: Self.interval)
      elapsed += Self.interval
    }
  }

  /// Asks for the container's output: from before its last end, else from now.
  private func lastLines(of pod: String, _ container: String) async -> [String] {
    for more in [["--previous"], []] {
      let arguments = ["logs", pod, "-c", container, "--tail=20"] + more
      // Only there to explain another failure.
      if let text = try? await kubectl(arguments), !text.isEmpty {
        return text.split(whereSeparator: \.isNewline).map(String.init)
      }
    }
    return []
  }

  // MARK: kubectl

  private func json(_ arguments: [String]) async throws -> JSON {
    let output = try await kubectl(arguments + ["-o", "json"])
    do throws(JSON.Malformed) {
      return try JSON.decode(JSON.self, from: Array(output.utf8))
    } catch {
      throw RolloutError("kubectl answered something else than JSON: \(error)")
    }
  }

  @discardableResult
  private func kubectl(_ arguments: [String]) async throws -> String {
    let place = (context.map { ["--context", $0] } ?? []) + (namespace.map { ["-n", $0] } ?? [])
    let command = Command("kubectl", place + arguments + ["--request-timeout=30s"])
    let ended: (exit: CommandExit, output: String, errors: String)
    do {
      ended = try await CommandAnswer.of(command, with: runner)
    } catch let error as CommandError {
      throw RolloutError("\(error)")
    }
    guard ended.exit == .exited(0) else {
      let lines = ended.errors.split(whereSeparator: \.isNewline).map(String.init)
      throw RolloutError(
        "kubectl \(arguments.first ?? "") failed: \(lines.first ?? "no reason given")",
        hint: "does 'kubectl get \(resource)' work?", log: Array(lines.dropFirst().suffix(20)))
    }
    return ended.output
  }
}
