package import Glibc

/// The clock that stamps files.
package enum FileClock {
  /// In seconds since 1970.
  package static var now: Double {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return seconds(time)
  }

  /// A file's stamp in seconds since 1970, as `now` is.
  package static func seconds(_ time: timespec) -> Double {
    Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}
