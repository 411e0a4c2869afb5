/// The mounts that the process sees, and what differs between two looks at them. Values only.
///
/// Source: Documentation/filesystems/proc.rst, 3.5 /proc/<pid>/mountinfo
struct MountTable: Equatable {
  struct Mount: Hashable {
    /// The kernel's number for it; used again once it is gone.
    var id: Int
    /// The device of the file system, such as `0:51`: another one may get the number of one that is gone.
    var device: String
    /// The directory of the file system that is mounted.
    var root: [UInt8]
    /// Absolute, as bytes.
    var point: [UInt8]
    /// Such as `tmpfs`, or `fuse.sshfs`.
    var kind: String
  }

  /// In the kernel's order: of two at one place the later is on top.
  private(set) var mounts: [Mount] = []

  init() {}

  init(text: [UInt8]) {
    mounts = text.split(separator: UInt8(ascii: "\n")).compactMap(Self.mount)
  }

  /// The places where something else is mounted now, or nothing any more, each with what is on top.
  func changes(since earlier: MountTable) -> [(point: [UInt8], mount: Mount?)] {
    guard self != earlier else { return [] }
    let (old, new) = (earlier.byPoint, byPoint)
    return Set(old.keys).union(new.keys).filter { old[$0] != new[$0] }
      .sorted { $0.lexicographicallyPrecedes($1) }
      .map { ($0, new[$0]?.last) }
  }

  private var byPoint: [[UInt8]: [Mount]] { Dictionary(grouping: mounts, by: \.point) }

  // MARK: Text

  private static func mount(_ line: ArraySlice<UInt8>) -> Mount? {
    // ID, parent, device, root, point, options, any number of fields, "-", kind, source, options
    let fields = line.split(separator: UInt8(ascii: " "))
    guard fields.count > 8, let id = Int(text(fields[0])),
      let separator = fields[6...].firstIndex(where: { $0.elementsEqual("-".utf8) }),
      fields.indices.contains(separator + 1)
    else { return nil }
    return Mount(
      id: id, device: text(fields[2]), root: unescaped(fields[3]), point: unescaped(fields[4]),
      kind: text(fields[separator + 1]))
  }

  private static func text(_ bytes: ArraySlice<UInt8>) -> String {
    String(decoding: bytes, as: UTF8.self)
  }

  /// Space, tab, newline and backslash are written as three octal digits.
  private static func unescaped(_ field: ArraySlice<UInt8>) -> [UInt8] {
    var bytes: [UInt8] = []
    var rest = field
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "\\"), rest.count >= 3,
        let code = UInt8(text(rest.prefix(3)), radix: 8)
      {
        bytes.append(code)
        rest = rest.dropFirst(3)
      } else {
        bytes.append(byte)
      }
    }
    return bytes
  }
}
