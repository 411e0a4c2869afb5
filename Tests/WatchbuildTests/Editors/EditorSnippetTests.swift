import Foundation
import Testing

@testable import watchbuild

@Suite struct EditorSnippetTests {
  private static let samples = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("samples/editors")

  @Test(arguments: EditorCommand.Editor.allCases)
  func `an editor's snippet is its file among the samples`(editor: EditorCommand.Editor) throws {
    let file = Self.samples.appendingPathComponent(editor.snippet.sample)
    #expect(try String(contentsOf: file, encoding: .utf8) == editor.snippet.text)
  }
}
