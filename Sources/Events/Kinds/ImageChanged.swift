extension Event {
  /// An image has got somewhere, or failed to.
  package struct ImageChanged: EventFields {
    package static let type = "image"

    package enum Status: String, Sendable, Encodable {
      case built, unchanged, loaded, live, failed, cancelled
    }

    /// Its name.
    package var image: String
    /// Its label.
    package var target: String
    /// How far it got.
    package var status: Status
    /// Its first name in the runtime.
    package var ref: String?
    /// All its names in the runtime.
    package var refs: [String]?
    /// The image ID: the digest of its configuration.
    package var id: String?
    /// Where it was loaded.
    package var runtime: String?
    /// What was done, or failed: `build`, `load`, `rollout`.
    package var step: String?
    /// To the runtime.
    package var bytesSent: Int64?
    /// To the runtime.
    package var layersSent: Int?
    /// How many layers the image has.
    package var layersTotal: Int?
    /// How long it took.
    package var ms: Int?
    /// Why it failed or was cancelled.
    package var error: String?
    /// Why a built image is made in another way than the best, or which names of a loaded one stood for an image
    /// that another tool made.
    package var note: String?
    /// The file that holds all that its failed actions printed.
    package var log: String?
    /// The image that this one requires and waits for; its status is `cancelled`.
    package var heldUpBy: String?

    package init(
      image: String, target: String, status: Status, ref: String? = nil, refs: [String]? = nil,
      id: String? = nil, runtime: String? = nil, step: String? = nil, bytesSent: Int64? = nil,
      layersSent: Int? = nil, layersTotal: Int? = nil, ms: Int? = nil, error: String? = nil,
      note: String? = nil, log: String? = nil, heldUpBy: String? = nil
    ) {
      self.image = image
      self.target = target
      self.status = status
      self.ref = ref
      self.refs = refs
      self.id = id
      self.runtime = runtime
      self.step = step
      self.bytesSent = bytesSent
      self.layersSent = layersSent
      self.layersTotal = layersTotal
      self.ms = ms
      self.error = error
      self.note = note
      self.log = log
      self.heldUpBy = heldUpBy
    }
  }
}
