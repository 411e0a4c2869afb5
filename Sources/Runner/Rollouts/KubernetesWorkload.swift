import Basics
package import Images

/// A Deployment, StatefulSet, DaemonSet or pod as `kubectl get -o json` shows it.
struct KubernetesWorkload: Hashable, Sendable {
  struct Container: Hashable, Sendable {
    var name: String
    var image: String
    /// `Always`, `IfNotPresent` or `Never`.
    var pullPolicy: String?
  }

  var isPod: Bool
  var containers: [Container]
  /// The selector of its pods, as `kubectl -l` takes it; empty for a pod.
  var selector: String

  init(_ json: JSON) {
    isPod = json["kind"]?.string == "Pod"
    let spec = isPod ? json["spec"] : json["spec"]?["template"]?["spec"]
    containers = (spec?["containers"]?.array ?? []).map {
      Container(
        name: $0["name"]?.string ?? "", image: $0["image"]?.string ?? "",
        pullPolicy: $0["imagePullPolicy"]?.string)
    }
    selector = (json["spec"]?["selector"]?["matchLabels"]?.fields ?? [:])
      .compactMap { key, value in value.string.map { "\(key)=\($0)" } }.sorted()
      .joined(separator: ",")
  }

  /// The container that has the image: the one of that name, the one with that image's name, or the only one.
  ///
  /// - Throws: `RolloutError` where none or several could be meant.
  func container(named name: String?, for reference: ImageReference) throws -> Container {
    let names = containers.map(\.name).joined(separator: ", ")
    if let name {
      guard let found = containers.first(where: { $0.name == name }) else {
        throw RolloutError("it has no container '\(name)'", hint: "there are: \(names)")
      }
      return found
    }
    let sharing = containers.filter { container in
      ImageReference(container.image).map { $0.normalizedName == reference.normalizedName } ?? false
    }
    if let only = sharing.count == 1 ? sharing.first : nil { return only }
    if let only = containers.count == 1 ? containers.first : nil { return only }
    throw RolloutError(
      "which of its containers has \(reference) can't be told",
      hint: "write 'container: NAME' beside 'kubernetes'; there are: \(names)")
  }
}

/// The state that the pods of a workload show.
struct KubernetesPods: Sendable {
  enum Verdict: Hashable, Sendable {
    case live
    case undecided
    /// - `pod`: Whose words tell more.
    case failed(String, pod: String, hint: String?)
  }

  /// Reasons to wait that do not go by themselves, with what helps.
  private static let stuck: [String: String?] = [
    "CrashLoopBackOff": nil,
    "ErrImagePull":
      "the node looks for the image in a registry: is it loaded into this very cluster (--load), "
      + "and imagePullPolicy IfNotPresent or Never?",
    "ImagePullBackOff":
      "the node looks for the image in a registry: is it loaded into this very cluster (--load), "
      + "and imagePullPolicy IfNotPresent or Never?",
    "ErrImageNeverPull":
      "the image is not in the node, or in another namespace of its containerd than k8s.io",
    "CreateContainerConfigError": "'kubectl describe pod' tells what is missing",
    "InvalidImageName": nil,
  ]

  private let pods: [JSON]

  /// - Parameter list: As `kubectl get pods -o json` writes it, or one pod.
  init(_ list: JSON) {
    pods = list["kind"]?.string == "Pod" ? [list] : list["items"]?.array ?? []
  }

  /// Tells whether all pods that are to stay run the image in this container, and are ready.
  func verdict(container: String, image: String) -> Verdict {
    let staying = pods.filter { $0["metadata"]?["deletionTimestamp"] == nil }
    if staying.isEmpty { return .undecided }
    var isComplete = true
    for pod in staying {
      let name = pod["metadata"]?["name"]?.string ?? ""
      let spec = (pod["spec"]?["containers"]?.array ?? []).first { $0["name"]?.string == container }
      let statuses = pod["status"]?["containerStatuses"]?.array ?? []
      let status = statuses.first { $0["name"]?.string == container }
      guard spec?["image"]?.string == image else {
        // One of the generation before.
        isComplete = false
        continue
      }
      if let reason = status?["state"]?["waiting"]?["reason"]?.string,
        let hint = Self.stuck[reason]
      {
        let words = status?["state"]?["waiting"]?["message"]?.string.map { ": \($0)" } ?? ""
        return .failed("pod \(name): \(reason)\(words)", pod: name, hint: hint)
      }
      if let ended = status?["state"]?["terminated"] {
        let code = ended["exitCode"]?.integer ?? 0
        return .failed("pod \(name): its container ended (exit \(code))", pod: name, hint: nil)
      }
      if let before = status?["lastState"]?["terminated"],
        (status?["restartCount"]?.integer ?? 0) > 0
      {
        let code = before["exitCode"]?.integer ?? 0
        return .failed(
          "pod \(name): its container ends again and again (exit \(code))", pod: name, hint: nil)
      }
      let isReady = status?["ready"] == .bool(true)
      isComplete = isComplete && isReady && status?["state"]?["running"] != nil
    }
    return isComplete ? .live : .undecided
  }
}

extension ImageReference {
  /// In full, without the tag.
  var normalizedName: String { String(normalized.dropLast(tag.count + 1)) }

  /// Another tag, which no other content ever has: a workload that is given it changes exactly when the image does.
  package func contentTag(_ config: Digest) -> ImageReference? {
    ImageReference("\(name):wb-\(config.hexadecimal.prefix(12))")
  }
}
