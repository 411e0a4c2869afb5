import Glibc

/// Raises the number of files that may be open: layouts of many images are many files, open until they are loaded.
enum OpenFileLimit {
  /// Raises it as far as the system lets us. Only when it is reached, since programs that we run inherit it.
  ///
  /// - Returns: Whether it is higher now.
  static func raise() -> Bool {
    let kind = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    var limit = rlimit()
    guard getrlimit(kind, &limit) == 0, limit.rlim_cur < limit.rlim_max else { return false }
    limit.rlim_cur = limit.rlim_max
    return setrlimit(kind, &limit) == 0
  }
}
