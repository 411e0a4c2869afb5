extension Event {
  /// How far a load has got that takes longer than a second; told each second.
  package struct LoadProgressed: EventFields {
    package static let type = "progress"

    /// Its name.
    package var image: String
    /// Where it goes.
    package var runtime: String
    /// Its name there.
    package var ref: String
    /// So far.
    package var bytesSent: Int64
    /// What is to be sent, as far as is known: a fallback adds to it.
    package var bytesTotal: Int64
    /// In the last second.
    package var bytesPerSecond: Int64
    /// So far.
    package var layersSent: Int
    /// Layers to be sent; what the runtime has already is not counted.
    package var layersTotal: Int

    package init(
      image: String, runtime: String, ref: String, bytesSent: Int64, bytesTotal: Int64,
      bytesPerSecond: Int64, layersSent: Int, layersTotal: Int
    ) {
      self.image = image
      self.runtime = runtime
      self.ref = ref
      self.bytesSent = bytesSent
      self.bytesTotal = bytesTotal
      self.bytesPerSecond = bytesPerSecond
      self.layersSent = layersSent
      self.layersTotal = layersTotal
    }
  }
}
