import Processes
import Runtimes

/// Checks which docker engine is meant, by what, and whether it answers.
enum DockerCheck {
  /// - Returns: What was found, and what to do where images are to go into docker.
  static func finding(environment: [String: String], runner: any CommandRunner) async -> Finding {
    do {
      let docker = try await EngineConnection.open(environment: environment, runner: runner)
      let answer: Result<EngineClient.Info, any Error>
      do {
        // An engine that does not answer is to be told soon; its account of itself may take longer.
        try await docker.client.ping()
        answer = .success(try await docker.client.info())
      } catch {
        answer = .failure(error)
      }
      await docker.close()
      return finding(answer, docker.choice)
    } catch {
      return finding(.failure(error), nil)
    }
  }

  private static func finding(
    _ answer: Result<EngineClient.Info, any Error>, _ choice: EngineChoice?
  ) -> Finding {
    switch answer {
    case .success(let info):
      return Finding("docker", .ok, "\(info.version) at \(choice?.description ?? "")")
    case .failure(let error as RuntimeError):
      let origin = choice?.reason.map { ", by \($0)" } ?? ""
      return Finding(
        "docker", .warn, "\(error.message.trimmingPrefix("docker "))\(origin)", remedy: error.hint)
    case .failure(let error): return Finding("docker", .warn, "\(error)")
    }
  }
}
