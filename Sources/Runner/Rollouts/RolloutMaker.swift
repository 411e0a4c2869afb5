package import Graph
package import Processes
package import Runtimes
package import SystemPackage

/// Makes rollouts of what the configuration says.
package struct RolloutMaker: Sendable {
  private let rule: RolloutRule
  private let directory: FilePath
  private let notes: RolloutNotes?
  private let runner: any CommandRunner
  private let clock: any Clock<Duration>
  private let synced = SyncedContainers()
  private let programs = ComposePrograms()

  /// - Parameters:
  ///   - directory: Where programs run.
  ///   - notes: Where it is noted what was rolled out; `nil`: nowhere.
  package init(
    _ rule: RolloutRule, in directory: FilePath, notes: RolloutNotes?, runner: any CommandRunner,
    clock: any Clock<Duration>
  ) {
    self.rule = rule
    self.directory = directory
    self.notes = notes
    self.runner = runner
    self.clock = clock
  }

  /// - Parameter runtimes: That the image is loaded into.
  package func rollout(
    to target: RolloutTarget, from runtimes: [any ImageRuntime]
  ) -> any Rollout {
    let engines = runtimes.compactMap { ($0 as? DockerEngine)?.client }
    switch target {
    case .synced(let restarted, let notice):
      let inner = rollout(to: restarted, from: runtimes)
      // Into a cluster's pods nothing is written yet: they are restarted.
      guard let restart = inner as? any RestartingRollout else { return inner }
      return SyncedRollout(
        restart: restart, notice: notice, synced: synced, notes: notes, directory: directory,
        rule: rule, runner: runner, clock: clock)
    case .signal(let signal, let pidFile):
      return SignalRollout(
        signal: signal, pidFile: pidFile, rule: rule, notes: notes, clock: clock)
    case .command(let arguments):
      return CommandRollout(
        arguments: arguments, directory: directory, rule: rule, notes: notes, runner: runner,
        clock: clock)
    case .container(let name):
      return ContainerRollout(container: name, engines: engines, rule: rule, clock: clock)
    case .compose(let service, let files, let project):
      return ComposeRollout(
        service: service, files: files, project: project, directory: directory, engines: engines,
        rule: rule, runner: runner, clock: clock, programs: programs)
    case .kubernetes(let resource, let container, let namespace, let context):
      return KubernetesRollout(
        resource: resource, container: container, namespace: namespace, context: context,
        rule: rule, runner: runner, clock: clock)
    }
  }
}
