extension EditorSnippet {
  /// .vscode/tasks.json: a background task that VS Code starts with the folder, and what it reads its problems by.
  static let vscode = EditorSnippet(
    sample: "vscode/tasks.json",
    text: #"""
      {
        "version": "2.0.0",
        "tasks": [
          {
            "label": "watchbuild",
            "type": "process",
            "command": "watchbuild",
            "args": ["dev", "--output", "plain", "--color", "never"],
            "isBackground": true,
            "problemMatcher": {
              "owner": "watchbuild",
              "source": "watchbuild",
              "fileLocation": ["autoDetect", "${workspaceFolder}"],
              "pattern": {
                "regexp": "^([^\\s:\\[][^:]*):(\\d+):(?:(\\d+):)? (error|warning|note): (.*)$",
                "file": 1,
                "line": 2,
                "column": 3,
                "severity": 4,
                "message": 5
              },
              "background": {
                "activeOnStart": true,
                "beginsPattern": "^\\[\\d+\\] building ",
                "endsPattern": "^\\[\\d+\\] finished: "
              }
            },
            "presentation": { "panel": "dedicated", "reveal": "silent" },
            "runOptions": { "instanceLimit": 1, "runOn": "folderOpen" }
          }
        ]
      }

      """#)
}
