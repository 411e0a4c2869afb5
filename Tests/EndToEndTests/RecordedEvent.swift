import Foundation

/// A line of `--output json`, as a script reads it.
struct RecordedEvent: Decodable, Sendable {
  struct Change: Decodable, Sendable {
    var path: String
    var kind: String
  }

  struct Timings: Decodable, Sendable {
    var totalMs: Int
  }

  var seq: Int
  var time: String
  var type: String
  var cycle: Int?
  var cause: String?
  var changes: [Change]?
  var image: String?
  var target: String?
  var status: String?
  var runtime: String?
  var id: String?
  var ref: String?
  var error: String?
  var bytesSent: Int?
  var layersSent: Int?
  var layersTotal: Int?
  var ok: Int?
  var failed: Int?
  var bazelCommands: Int?
  var timings: Timings?
  var command: [String]?
  var targets: [String]?
  var partial: Bool?
  var trigger: String?
  var degraded: String?
  var reason: String?
  var file: String?
  var line: Int?
  var message: String?
  var option: String?
  var cacheCostMs: Int?
  var stage: String?
}
