import ArgumentParser
import Basics

/// `watchbuild editor NAME`: prints what to put into an editor's configuration.
struct EditorCommand: ParsableCommand {
  enum Editor: String, CaseIterable, ExpressibleByArgument {
    case vscode, jetbrains, neovim, emacs, agent

    var snippet: EditorSnippet {
      switch self {
      case .vscode: .vscode
      case .jetbrains: .jetbrains
      case .neovim: .neovim
      case .emacs: .emacs
      case .agent: .agent
      }
    }
  }

  static let configuration = CommandConfiguration(
    commandName: "editor",
    abstract: "Print a ready snippet for an editor or a coding agent.",
    discussion: """
      vscode: .vscode/tasks.json, a background task with its problem matcher. jetbrains: \
      .idea/watcherTasks.xml, a file watcher. neovim: compiler/watchbuild.vim, also for Vim. emacs: \
      watchbuild.el, a compilation mode. agent: a page for an agent's instructions, with a hook that \
      waits after each edit.
      """)

  @Argument(help: ArgumentHelp("vscode, jetbrains, neovim, emacs or agent.", valueName: "editor"))
  var editor: Editor

  @OptionGroup var common: CommonOptions

  func run() throws {
    // Line by line, as all that is asked for is written.
    let lines = editor.snippet.text.split(separator: "\n", omittingEmptySubsequences: false)
    var texts = lines.map(String.init)
    if texts.last == "" { texts.removeLast() }
    try OutputStream.standardOutput.write(lines: texts)
  }
}
