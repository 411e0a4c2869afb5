import Images

extension RuntimeError {
  /// An engine that said yes, and whose name stands for something else.
  init(
    mismatch reference: ImageReference, expected: Digest, found: Digest?, in client: EngineClient
  ) {
    self.init(
      runtime: client.runtime, kind: .mismatch,
      message: "\(reference): \(client.runtime) accepted \(expected) but holds "
        + (found.map(\.description) ?? "no such image"),
      hint: "does something else load, tag or remove \(reference) at \(client.place)?")
  }
}
