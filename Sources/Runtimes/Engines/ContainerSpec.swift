package import Basics

/// The options that a container was made with, and those of another like it from a newer image.
///
/// An engine shows a container's configuration with that of its image mixed in. What came from the old image is left
/// out of the new container's, so that the new image's own entry point, environment and labels hold.
package struct ContainerSpec: Sendable {
  /// As the engine shows the container.
  package let container: JSON
  /// As the engine shows its image's configuration; `nil`: the image is gone.
  package let imageConfig: JSON?

  package init(container: JSON, imageConfig: JSON?) {
    self.container = container
    self.imageConfig = imageConfig
  }

  /// Without the slash that engines put before it.
  package var name: String { String((container["Name"]?.string ?? "").trimmingPrefix("/")) }
  package var id: String { container["Id"]?.string ?? "" }
  /// The image that it runs, by its ID.
  package var image: String { container["Image"]?.string ?? "" }
  /// The image's name, as whoever made the container gave it.
  package var imageName: String { config["Image"]?.string ?? "" }
  package var state: ContainerState { ContainerState(container) }
  /// The engine removes it when it ends.
  package var isRemovedAtEnd: Bool { host["AutoRemove"] == .bool(true) }

  private var config: JSON { container["Config"] ?? .null }
  private var host: JSON { container["HostConfig"] ?? .null }
  private var networkMode: String { host["NetworkMode"]?.string ?? "default" }
  private var networks: [String: JSON] {
    container["NetworkSettings"]?["Networks"]?.fields ?? [:]
  }

  // MARK: Side by side

  /// Why another container like this can't run beside it; `nil`: it can.
  package var conflict: String? {
    let bindings = host["PortBindings"]?.fields ?? [:]
    let isPublishing = bindings.values.contains { binding in
      (binding.array ?? []).contains { ($0["HostPort"]?.string ?? "").isEmpty == false }
    }
    if isPublishing { return "a published port" }
    if networkMode == "host" { return "the host's network" }
    if networkMode.hasPrefix("container:") { return "another container's network" }
    if networks.values.contains(where: {
      $0["IPAMConfig"]?["IPv4Address"]?.string?.isEmpty == false
    }) {
      return "a fixed address"
    }
    let mounts = container["Mounts"]?.array ?? []
    if mounts.contains(where: { $0["RW"] == .bool(true) && $0["Type"]?.string != "tmpfs" }) {
      return "a writable mount"
    }
    return nil
  }

  // MARK: Another like it

  /// The body of the request that makes another container.
  ///
  /// - Parameter image: Its image's name or ID.
  package func creation(from image: String) -> JSON {
    var body = config.fields ?? [:]
    body["Image"] = .string(image)
    dropInherited(from: &body)
    // By default a container is called after its own ID, and with the host's network after the host.
    let isDefaultName = body["Hostname"]?.string.map { id.hasPrefix($0) } ?? true
    if isDefaultName || networkMode == "host" || networkMode.hasPrefix("container:") {
      body["Hostname"] = nil
      body["Domainname"] = nil
    }
    var host = host.fields ?? [:]
    host["ContainerIDFile"] = nil
    // Podman shows limits by other names than it takes.
    if let limits = host["Ulimits"]?.array {
      host["Ulimits"] = .array(limits.map(Self.namedAsGiven))
    }
    let binds = anonymousVolumes
    if !binds.isEmpty {
      host["Binds"] = .array((host["Binds"]?.array ?? []) + binds.map(JSON.string))
    }
    body["HostConfig"] = .object(host)
    if let (name, endpoint) = endpoints.first {
      body["NetworkingConfig"] = .object(["EndpointsConfig": .object([name: endpoint])])
    }
    return .object(body)
  }

  /// The networks that it is in, with what it is called there; the one that it was made in comes first.
  ///
  /// Older engines take one network alone when they make a container.
  package var endpoints: [(network: String, settings: JSON)] {
    if networkMode == "host" || networkMode == "none" || networkMode.hasPrefix("container:") {
      return []
    }
    let own = Set([String(id.prefix(12)), id])
    return networks.sorted { left, right in
      (left.key == networkMode ? 0 : 1, left.key) < (right.key == networkMode ? 0 : 1, right.key)
    }.map { name, shown in
      var settings: [String: JSON] = [:]
      for key in ["IPAMConfig", "Links", "DriverOpts", "GwPriority"] {
        if let value = shown[key], value != .null { settings[key] = value }
      }
      let aliases = (shown["Aliases"]?.array ?? []).filter { !own.contains($0.string ?? "") }
      if !aliases.isEmpty { settings["Aliases"] = .array(aliases) }
      return (name, .object(settings))
    }
  }

  /// Removes the values that only the old image gave.
  private func dropInherited(from body: inout [String: JSON]) {
    guard let imageConfig else { return }
    if Self.isSame(body["Entrypoint"], imageConfig["Entrypoint"]) {
      body["Entrypoint"] = nil
      if Self.isSame(body["Cmd"], imageConfig["Cmd"]) { body["Cmd"] = nil }
    }
    for key in ["User", "WorkingDir", "Healthcheck", "StopSignal", "Shell", "OnBuild", "Volumes"]
    where Self.isSame(body[key], imageConfig[key]) {
      body[key] = nil
    }
    // Podman shows its own host name among the variables.
    let inherited = Set((imageConfig["Env"]?.array ?? []).compactMap(\.string))
      .union(["HOSTNAME=\(id.prefix(12))", "container=podman"])
    let environment = (body["Env"]?.array ?? []).filter { !inherited.contains($0.string ?? "") }
    body["Env"] = .array(environment)
    for key in ["Labels", "ExposedPorts"] {
      let old = imageConfig[key]?.fields ?? [:]
      let own = (body[key]?.fields ?? [:]).filter { old[$0.key] != $0.value }
      body[key] = .object(own)
    }
  }

  /// Engines show what is not set in several ways, and podman what it sets by itself.
  private static func isSame(_ shown: JSON?, _ image: JSON?) -> Bool {
    let unset: Set<JSON> = [
      .null, .array([]), .object([:]), .string(""), .string("/"), .string("15"), .string("SIGTERM"),
    ]
    func plain(_ value: JSON?) -> JSON? { value.flatMap { unset.contains($0) ? nil : $0 } }
    return plain(shown) == plain(image)
  }

  private static func namedAsGiven(_ limit: JSON) -> JSON {
    guard var fields = limit.fields, let name = fields["Name"]?.string, name.hasPrefix("RLIMIT_")
    else { return limit }
    fields["Name"] = .string(name.dropFirst("RLIMIT_".count).lowercased())
    return .object(fields)
  }

  /// Volumes without a name of the user's, which hold what the container wrote: `VOLUME:PATH`.
  private var anonymousVolumes: [String] {
    let binds = (host["Binds"]?.array ?? []).compactMap(\.string)
    let named = (host["Mounts"]?.array ?? []).compactMap { $0["Target"]?.string }
    return (container["Mounts"]?.array ?? []).compactMap { mount in
      guard mount["Type"]?.string == "volume", let name = mount["Name"]?.string,
        let path = mount["Destination"]?.string, !named.contains(path),
        !binds.contains(where: {
          $0.split(separator: ":").dropFirst().first.map(String.init) == path
        })
      else { return nil }
      return "\(name):\(path)"
    }
  }
}

/// The state of a container: whether it runs, and how well.
package struct ContainerState: Hashable, Sendable {
  package enum Health: String, Sendable { case starting, healthy, unhealthy }

  package var isRunning: Bool
  package var isRestarting: Bool
  package var restarts: Int
  package var exitCode: Int
  /// It ran out of memory.
  package var isOutOfMemory: Bool
  /// `nil`: it has no health check.
  package var health: Health?
  /// The output of the last health check.
  package var healthWords: String?

  package init(_ container: JSON) {
    let state = container["State"] ?? .null
    isRunning = state["Running"] == .bool(true)
    isRestarting = state["Restarting"] == .bool(true)
    restarts = Int(container["RestartCount"]?.integer ?? 0)
    exitCode = Int(state["ExitCode"]?.integer ?? 0)
    isOutOfMemory = state["OOMKilled"] == .bool(true)
    // Podman shows an empty one where there is no check.
    health = (state["Health"]?["Status"]?.string).flatMap { Health(rawValue: $0) }
    healthWords = state["Health"]?["Log"]?.array?.last?["Output"]?.string
  }
}
