import Basics
import SystemPackage

/// An nginx of a test's own, before a registry or in the place of one.
package struct TestProxy: Sendable {
  package let daemon: TestDaemon
  /// `localhost:PORT`
  package let host: String

  /// - Parameters:
  ///   - upstream: `HOST:PORT` of what it stands before; `nil`: nothing, `location` answers.
  ///   - location: Directives for every request.
  ///   - server: Directives beside them, such as other locations.
  ///   - http: Directives around the server.
  package init(
    before upstream: String?, location: String = "", server: String = "", http: String = ""
  ) async throws {
    let port = try TestRegistry.freePort()
    host = "localhost:\(port)"
    daemon = try await TestDaemon { directory in
      // One address: of several, nginx leaves one alone for seconds after a failure.
      let forwarding =
        upstream.map { upstream in
          let address = upstream.replacing("localhost:", with: "127.0.0.1:")
          return "proxy_pass http://\(address); proxy_set_header Host $http_host;"
        } ?? ""
      let text = """
        daemon off;
        master_process off;
        pid \(directory)/pid;
        error_log \(directory)/log;
        events {}
        http {
          log_format seen '$request_method $request_uri $status sent=$body_bytes_sent login=$http_authorization';
          access_log \(directory)/access seen;
          client_body_temp_path \(directory)/body;
          proxy_temp_path \(directory)/proxy;
          fastcgi_temp_path \(directory)/fastcgi;
          uwsgi_temp_path \(directory)/uwsgi;
          scgi_temp_path \(directory)/scgi;
          client_max_body_size 0;
          \(http)
          server {
            listen 127.0.0.1:\(port);
            root \(directory);
            \(server)
            location / {
              \(location)
              \(forwarding)
            }
          }
        }

        """
      let path = directory.appending("nginx.conf")
      try path.write(Array(text.utf8))
      return ["nginx", "-e", "\(directory)/log", "-c", path.string]
    } isReady: { _ in
      TestRegistry.listens(at: port)
    }
  }

  /// Requests so far, a line each: method, path, status, bytes sent and the `Authorization` header.
  ///
  /// Each is written when it has ended, which may be after its answer has been read.
  ///
  /// - Parameter isComplete: Asked for ten seconds until it says so.
  package func requests(
    until isComplete: ([String]) -> Bool = { _ in true }
  ) async throws -> [String] {
    let path = daemon.directory.appending("access")
    for _ in 0..<200 {
      let lines = try read(path)
      if isComplete(lines) { return lines }
      try await ContinuousClock().pause(for: .milliseconds(50))
    }
    return try read(path)
  }

  private func read(_ path: FilePath) throws -> [String] {
    String(decoding: try path.read(), as: UTF8.self).split(separator: "\n").map(String.init)
  }
}
