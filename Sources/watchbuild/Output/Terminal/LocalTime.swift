import Glibc

/// The machine's time zone.
enum LocalTime {
  /// - Parameter seconds: Since 1970.
  /// - Returns: Seconds east of UTC at that moment.
  static func offset(_ seconds: Double) -> Int {
    var moment = time_t(seconds)
    var local = tm()
    return localtime_r(&moment, &local) == nil ? 0 : local.tm_gmtoff
  }
}
