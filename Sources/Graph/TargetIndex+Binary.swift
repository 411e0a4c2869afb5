package import Basics
import SystemPackage

extension TargetIndex {
  /// Writes all that `init(reading:)` needs; arrays as they lie in memory.
  package func write(to writer: inout BinaryWriter) {
    writer.write(workspace.string)
    writer.write(UInt8(isPartial ? 1 : 0))
    for paths in [inputs.files, inputs.listings, inputs.trees] { writer.write(paths.sorted()) }
    writer.write(outputBase?.string ?? "")
    writer.write(labels.text)
    writer.write(labels.starts)
    writer.write(labels.slots)
    writer.write(readerStarts)
    writer.write(readers)
    writer.write(isFile.map { UInt8($0 ? 1 : 0) })
    writer.write(images.map(\.name))
    writer.write(images.map(\.node))
    links.write(to: &writer)
  }

  /// - Throws: `Malformed` when an array does not fit the others.
  package init(reading reader: inout BinaryReader) throws(BinaryReader.Malformed) {
    let workspace = FilePath(try reader.readText())
    let isPartial = try reader.read(UInt8.self) != 0
    let inputs = RepositoryInputs(
      files: Set(try reader.readTexts()), listings: Set(try reader.readTexts()),
      trees: Set(try reader.readTexts()))
    let outputBase = try reader.readText()
    let labels = LabelTable(
      text: try reader.readArray(), starts: try reader.readArray(), slots: try reader.readArray())
    let readerStarts = try reader.readArray(of: Int32.self)
    let readers = try reader.readArray(of: Node.self)
    let isFile = try reader.readArray(of: UInt8.self).map { $0 != 0 }
    let names = try reader.readTexts()
    let nodes = try reader.readArray(of: Node.self)
    guard let labels, readerStarts.count == labels.count + 1, readerStarts.first == 0,
      readerStarts.last.map(Int.init) == readers.count,
      zip(readerStarts, readerStarts.dropFirst()).allSatisfy({ $0 <= $1 }),
      isFile.count == labels.count, names.count == nodes.count,
      readers.allSatisfy({ 0..<labels.count ~= Int($0) }),
      nodes.allSatisfy({ 0..<labels.count ~= Int($0) })
    else { throw BinaryReader.Malformed() }
    self.init(
      workspace: workspace, isPartial: isPartial, inputs: inputs,
      labels: labels, readerStarts: readerStarts, readers: readers, isFile: isFile,
      images: zip(names, nodes).map { (name: $0, node: $1) })
    links = try SourceLinks(reading: &reader)
    self.outputBase = outputBase.isEmpty ? nil : FilePath(outputBase)
  }
}

extension SourceLinks {
  fileprivate func write(to writer: inout BinaryWriter) {
    for table in [places, links] {
      writer.write(UInt32(table.count))
      for (path, places) in table.sorted(by: { $0.key < $1.key }) {
        writer.write(path)
        writer.write(places.map(\.repository))
        writer.write(places.map(\.path))
      }
    }
    let roots = roots.sorted { $0.key < $1.key }
    writer.write(roots.map(\.key))
    writer.write(roots.map(\.value))
    writer.write(UInt8(isIncomplete ? 1 : 0))
  }

  fileprivate init(reading reader: inout BinaryReader) throws(BinaryReader.Malformed) {
    self.init()
    places = try Self.table(&reader)
    links = try Self.table(&reader)
    let (repositories, paths) = (try reader.readTexts(), try reader.readTexts())
    guard repositories.count == paths.count else { throw BinaryReader.Malformed() }
    for (repository, path) in zip(repositories, paths) { roots[repository] = path }
    isIncomplete = try reader.read(UInt8.self) != 0
  }

  private static func table(
    _ reader: inout BinaryReader
  ) throws(BinaryReader.Malformed) -> [String: [Place]] {
    let rows = try reader.readList { reader throws(BinaryReader.Malformed) in
      (try reader.readText(), try reader.readTexts(), try reader.readTexts())
    }
    var table: [String: [Place]] = [:]
    for (path, repositories, paths) in rows {
      guard repositories.count == paths.count else { throw BinaryReader.Malformed() }
      table[path] = zip(repositories, paths).map { Place(repository: $0, path: $1) }
    }
    return table
  }
}

extension BinaryWriter {
  package mutating func write(_ texts: [String]) {
    write(UInt32(texts.count))
    for text in texts { write(text) }
  }
}

extension BinaryReader {
  package mutating func readTexts() throws(Malformed) -> [String] {
    try readList { reader throws(Malformed) in try reader.readText() }
  }
}
