/// A kind of runtime that `--load` can name, such as `docker` or `registry:HOST`.
///
/// A new kind is a file with its static, beside these, and its line in `all`. Help, errors, suggestions, completion,
/// the configuration's schema, `auto` and `doctor` go through that list.
package struct RuntimeKind: Sendable {
  /// The way in which `auto` tries a kind.
  struct Answer: Sendable {
    /// The lowest is tried first.
    var rank: Int
    /// Adds the runtime where it answers, else a problem worth telling.
    ///
    /// - Returns: The place as notes call it; `nil`: it does not answer.
    var add: @Sendable (inout RuntimeFinder, _ problems: inout [String]) async throws -> String?
  }

  /// In the order of the help.
  package static let all: [RuntimeKind] = [
    .docker,
    .podman,
    .containerd,
    .cluster(.kind),
    .cluster(.k3d),
    .cluster(.minikube),
    .registry,
    .store,
    .none,
    .auto,
  ]

  package let word: String
  /// The word and what may follow it: `kind[:CLUSTER]`, `oci:DIR`.
  package let usage: String
  /// Reads what follows the colon, and makes relative paths absolute; never called for a word alone.
  let parse: RuntimeChoice.Parse
  /// Adds the runtime that a choice means.
  let open: @Sendable (_ value: String?, inout RuntimeFinder) async throws -> Void
  /// `nil`: `auto` does not try it.
  let answers: Answer?
  /// The remedy that `doctor` tells where it does not answer; `nil`: it need not be asked.
  package let remedy: @Sendable (_ value: String?) -> String?

  init(
    _ word: String, usage: String? = nil, answers: Answer? = nil,
    remedy: @escaping @Sendable (_ value: String?) -> String? = { _ in nil },
    parse: @escaping RuntimeChoice.Parse = { value, _ throws(RuntimeChoiceError) in value },
    open: @escaping @Sendable (_ value: String?, inout RuntimeFinder) async throws -> Void
  ) {
    self.word = word
    self.usage = usage ?? word
    self.answers = answers
    self.remedy = remedy
    self.parse = parse
    self.open = open
  }

  /// The usage without what may be left out.
  var shortUsage: Substring { usage.prefix { $0 != "[" } }

  /// True if something has to follow the word.
  package var needsValue: Bool { shortUsage.contains(":") }

  /// True if something may follow the word.
  package var takesValue: Bool { usage.contains(":") }
}

extension RuntimeKind {
  /// Builds only.
  static let none = RuntimeKind("none") { _, _ in }

  /// The local cluster of the current kube context, else docker, else podman, else the image store that comes with
  /// watchbuild.
  static let auto = RuntimeKind("auto") { _, finder in
    var problems: [String] = []
    let ranked = all.compactMap(\.answers).sorted { $0.rank < $1.rank }
    for answer in ranked {
      if let place = try await answer.add(&finder, &problems) {
        return finder.note(problems.map { "\($0); loading into \(place)" })
      }
    }
  }
}
