import Basics
import FoundationEssentials
import SystemPackage
import TestSupport
import Testing

@testable import Events

/// `docs/events.md` and `docs/events.schema.json` say what the code does: no more and no less.
struct EventDocumentationTests {
  private static let docs = FilePath(#filePath).removingLastComponent().removingLastComponent()
    .removingLastComponent().appending("docs")

  private let page: String
  private let schema: JSONSchema

  init() throws {
    page = try #require(
      SmallFile.text(of: Self.docs.appending("events.md"), limit: 1 << 20))
    schema = JSONSchema(
      root: try .parse(SmallFile.read(Self.docs.appending("events.schema.json"), limit: 1 << 20)))
  }

  /// The fields that each type has in the code beside those of every event, by their paths.
  private func fieldsInCode() throws -> [String: Set<String>] {
    var fields: [String: Set<String>] = [:]
    for kind in EventSamples.full {
      let event = EventSamples.event(kind)
      let paths = try JSONValue.parse(event.json()).paths()
      fields[event.type] = paths.subtracting(Self.common)
    }
    return fields
  }

  private static let common: Set = ["seq", "time", "type", "cycle"]

  // MARK: Samples

  @Test func `the samples leave no field out`() {
    func missing(_ value: Any, _ place: String) -> [String] {
      let mirror = Mirror(reflecting: value)
      if mirror.displayStyle == .optional, mirror.children.isEmpty { return [place] }
      if mirror.displayStyle == .collection, mirror.children.isEmpty { return [place] }
      return mirror.children.flatMap { missing($0.value, "\(place).\($0.label ?? "")") }
    }
    #expect(EventSamples.full.flatMap { missing($0.fields, "\(type(of: $0.fields))") } == [])
  }

  // MARK: Schema

  @Test func `the schema describes every type and every field, and nothing more`() throws {
    var described: [String: Set<String>] = [:]
    for (name, definition) in schema.root["$defs"]?.fields ?? [:] {
      described[name] = schema.paths(of: definition)
    }
    #expect(try described == fieldsInCode())
    #expect(Set((schema.root["properties"]?.fields ?? [:]).keys) == Self.common)
  }

  @Test func `the schema applies each definition to the events of its type`() throws {
    let chosen = schema.root["allOf"]?.items.map { rule in
      [rule["if"]?["properties"]?["type"]?["const"]?.text, rule["then"]?["$ref"]?.text]
    }
    let types = try fieldsInCode().keys.sorted()
    #expect(
      chosen?.sorted { ($0[0] ?? "") < ($1[0] ?? "") } == types.map { [$0, "#/$defs/\($0)"] })
  }

  @Test(arguments: (EventSamples.full + EventSamples.bare).map(EventSamples.event))
  func `every event is valid`(event: Event) throws {
    #expect(try schema.errors(in: .parse(event.json())) == [])
  }

  @Test func `an event without a field that is required is not valid`() throws {
    for kind in EventSamples.full {
      guard case .object(let fields) = try JSONValue.parse(EventSamples.event(kind).json()) else {
        continue
      }
      let required = schema.root["$defs"]?[EventSamples.event(kind).type]?["required"]?.items ?? []
      for name in ["seq", "time", "type"] + required.compactMap(\.text) {
        var less = fields
        less[name] = nil
        #expect(!schema.errors(in: .object(less)).isEmpty, "\(kind) without \(name)")
      }
    }
  }

  @Test func `what may be left out is not required`() throws {
    for kind in EventSamples.bare {
      let event = EventSamples.event(kind)
      let given = try Set(JSONValue.parse(event.json()).fields.keys).subtracting(Self.common)
      let required = schema.root["$defs"]?[event.type]?["required"]?.items.compactMap(\.text) ?? []
      #expect(Set(required).isSubset(of: given))
    }
  }

  @Test func `a type that nobody knows yet is valid`() throws {
    let line = #"{"seq":1,"time":"2026-01-01T00:00:00.000Z","type":"later","more":[1]}"#
    #expect(try schema.errors(in: .parse(line.utf8)) == [])
  }

  // MARK: Page

  /// The text under each heading of a type.
  private var sections: [String: Substring] {
    var sections: [String: Substring] = [:]
    for part in page.split(separator: "\n### `").dropFirst() {
      guard let end = part.firstIndex(of: "`") else { continue }
      sections[String(part[..<end])] = part[end...]
    }
    return sections
  }

  /// What stands between backticks in the first column of a table.
  private func rows(_ text: Substring) -> [String] {
    text.split(separator: "\n").compactMap { line in
      guard line.hasPrefix("| `") else { return nil }
      return line.dropFirst(3).firstIndex(of: "`").map { String(line.dropFirst(3)[..<$0]) }
    }
  }

  @Test func `the page describes every type and every field, and nothing more`() throws {
    #expect(try sections.mapValues { Set(rows($0)) } == fieldsInCode())
    let beginning = try #require(page.split(separator: "\n## Types").first)
    #expect(Set(rows(beginning)) == Self.common)
  }

  @Test func `each type has an example, which is valid`() throws {
    for (type, section) in sections {
      let lines = section.split(separator: "\n").filter { $0.hasPrefix("{") }
      #expect(lines.count == 1, "\(type)")
      for line in lines {
        let example = try JSONValue.parse(line.utf8)
        #expect(example["type"]?.text == type)
        #expect(schema.errors(in: example) == [], "\(type)")
        let known = try fieldsInCode()[type, default: []].union(Self.common)
        #expect(example.paths().isSubset(of: known), "\(type)")
      }
    }
  }

  @Test func `the page says which fields may be left out`() throws {
    for (type, section) in sections {
      let definition = schema.root["$defs"]?[type]
      let required = Set(definition?["required"]?.items.compactMap(\.text) ?? [])
      for line in section.split(separator: "\n") where line.hasPrefix("| `") {
        let name = try #require(rows(line).first)
        guard !name.contains(".") else { continue }
        let field = name.hasSuffix("[]") ? String(name.dropLast(2)) : name
        #expect(line.contains(", optional |") == !required.contains(field), "\(type).\(field)")
      }
    }
  }
}
