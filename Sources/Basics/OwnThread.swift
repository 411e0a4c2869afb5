import Glibc
package import SystemPackage

/// A thread for what has to block in the kernel, and so must not have one of those that tasks share.
package enum OwnThread {
  private final class Start {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }

  /// - Parameter body: The thread ends with it, or with the process.
  /// - Throws: `Errno`.
  package static func start(_ body: @escaping @Sendable () -> Void) throws(Errno) {
    let start = Unmanaged.passRetained(
      Start {
        // Signals are for the threads that handle them.
        var signals = sigset_t()
        sigfillset(&signals)
        pthread_sigmask(SIG_SETMASK, &signals, nil)
        body()
      })
    var thread = pthread_t()
    let error = pthread_create(
      &thread, nil,
      { argument in
        guard let argument else { return nil }
        Unmanaged<Start>.fromOpaque(argument).takeRetainedValue().body()
        return nil
      }, start.toOpaque())
    guard error == 0 else {
      start.release()
      throw Errno(rawValue: error)
    }
    pthread_detach(thread)
  }
}
