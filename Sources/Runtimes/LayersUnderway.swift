import Images

/// Layers that some load is just sending, so that another with the same ones can wait for it.
actor LayersUnderway {
  private var layers: Set<Digest> = []
  private var waiting: [CheckedContinuation<Void, Never>] = []

  /// - Returns: `true`: these are the caller's to send, until it leaves. `false`: some were under way,
  ///   and a load has ended meanwhile; what is lacking now is to be seen anew.
  func enter(_ wanted: Set<Digest>) async -> Bool {
    if layers.isDisjoint(with: wanted) {
      layers.formUnion(wanted)
      return true
    }
    await withCheckedContinuation { waiting.append($0) }
    return false
  }

  func leave(_ sent: Set<Digest>) {
    layers.subtract(sent)
    for continuation in waiting { continuation.resume() }
    waiting = []
  }
}
