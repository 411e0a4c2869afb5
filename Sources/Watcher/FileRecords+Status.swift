typealias Entry = FileRecords.Entry

extension FileRecords.Entry {
  /// A file of which all changes up to `moment` are known to have been reported.
  init(seenAt moment: Int64) { self.init(flags: [], value: UInt64(bitPattern: moment)) }

  /// Records a file's status that was asked for at `moment` or later.
  init(_ status: FileStatus, at moment: Int64) {
    self.init(flags: .fingerprinted, value: status.fingerprint)
    if status.isExecutable { flags.insert(.executable) }
    if KernelTime.isChange(status.changed, atOrAfter: moment) { flags.insert(.racy) }
  }

  /// Tells whether the file may have changed since it was recorded.
  func differs(from status: FileStatus) -> Bool {
    guard flags.contains(.fingerprinted) else {
      return KernelTime.isChange(status.changed, atOrAfter: Int64(bitPattern: value))
    }
    return flags.contains(.racy) || value != status.fingerprint
  }
}
