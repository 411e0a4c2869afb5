import Basics
import Images
import Processes
import SystemPackage

/// A program that keeps logins, as docker's configuration names it.
///
/// It reads the registry's name and writes JSON. That it has no login it says by exit code 1 and a known
/// sentence.
/// Source: https://github.com/docker/docker-credential-helpers#development
struct CredentialHelper: Sendable, CustomStringConvertible {
  /// As in the file, without `docker-credential-`.
  var name: String
  /// Where it is named.
  var file: FilePath

  private struct Answer: Decodable {
    enum CodingKeys: String, CodingKey { case name = "Username", secret = "Secret" }
    var name: String
    var secret: String
  }

  private typealias Ended = (exit: CommandExit, output: String, errors: String)

  private var program: String { "docker-credential-\(name)" }

  var description: String { "\(program) (\(file))" }

  /// - Returns: `nil` when it knows no login.
  /// - Throws: `RegistryCredentials.Problem` that never tells what a helper wrote for an answer;
  ///   `CancellationError`.
  func ask(
    _ host: String, with runner: any CommandRunner, _ patience: Duration,
    _ clock: any Clock<Duration>
  ) async throws -> (name: String, secret: String)? {
    guard !name.contains("/") else { throw problem("is no program's name") }
    let ended: Ended?
    do {
      ended = try await run(host, with: runner, patience, clock)
    } catch CommandError.notFound {
      throw problem("is not in PATH", hint: "install it, or take it out of \(file)")
    } catch let error as CommandError {
      throw problem("does not start: \(error)")
    }
    guard let ended else { throw problem("has not answered for \(patience.components.seconds) s") }
    guard ended.exit == .exited(0) else {
      if ended.exit == .exited(1), (ended.output + ended.errors).contains("credentials not found") {
        return nil
      }
      // Never of its output, which may hold the secret.
      let line = ended.errors.split(whereSeparator: \.isNewline).first ?? ""
      let words = RegistryClient.printable(String(line))
      throw problem("fails: \(words.isEmpty ? "\(ended.exit)" : words)")
    }
    do throws(JSON.Malformed) {
      let answer = try JSON.decode(Answer.self, from: Array(ended.output.utf8))
      // So docker-credential-pass of Debian 12 says that it has none.
      return answer.name.isEmpty && answer.secret.isEmpty ? nil : (answer.name, answer.secret)
    } catch {
      throw problem("answers something else than a login")
    }
  }

  /// - Returns: `nil` when it took too long and was ended.
  private func run(
    _ host: String, with runner: any CommandRunner, _ patience: Duration,
    _ clock: any Clock<Duration>
  ) async throws -> Ended? {
    let ending = ForcedEnd()
    return try await withThrowingTaskGroup(of: Ended?.self) { group in
      group.addTask {
        var input = ImageStream()
        input.appendBytes(Array("\(host)\n".utf8))
        return try await CommandAnswer.of(
          Command(program, ["get"]), input: input, ending: ending, with: runner)
      }
      group.addTask {
        try await clock.pause(for: patience)
        return nil
      }
      var isLate = false
      while let next = try await group.next() {
        if let next {
          group.cancelAll()
          return isLate ? nil : next
        }
        ending.end(isLate ? .kill : .terminate)
        isLate = true
        group.addTask {
          try await clock.pause(for: .seconds(2))
          return nil
        }
      }
      return nil
    }
  }

  private func problem(_ what: String, hint: String? = nil) -> RegistryCredentials.Problem {
    RegistryCredentials.Problem(
      message: "the credential helper \(program), which \(file) names, \(what)",
      hint: hint ?? "try it: echo HOST | \(program) get")
  }
}
