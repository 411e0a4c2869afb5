extension String {
  /// With every byte escaped that is not unreserved in a URL.
  ///
  /// Source: https://www.rfc-editor.org/rfc/rfc3986#section-2.3
  package var percentEncoded: String {
    let kept = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~".utf8)
    return utf8.map { byte in
      if kept.contains(byte) { return String(UnicodeScalar(byte)) }
      let digits = String(byte, radix: 16, uppercase: true)
      return byte < 16 ? "%0\(digits)" : "%\(digits)"
    }.joined()
  }
}
