extension EditorSnippet {
  /// .idea/watcherTasks.xml: a file watcher that waits for each saved file.
  static let jetbrains = EditorSnippet(
    sample: "jetbrains/watcherTasks.xml",
    text: #"""
      <?xml version="1.0" encoding="UTF-8"?>
      <project version="4">
        <component name="ProjectTasksOptions">
          <TaskOptions isEnabled="true">
            <option name="arguments" value="wait --change &quot;$FilePath$&quot; --for loaded --timeout 5m --color never" />
            <option name="checkSyntaxErrors" value="false" />
            <option name="description" value="Waits until watchbuild dev has loaded what was saved" />
            <option name="exitCodeBehavior" value="ERROR" />
            <option name="fileExtension" value="*" />
            <option name="immediateSync" value="false" />
            <option name="name" value="watchbuild" />
            <option name="output" value="" />
            <option name="outputFilters">
              <array>
                <FilterInfo>
                  <option name="description" value="" />
                  <option name="name" value="watchbuild" />
                  <option name="regExp" value="$FILE_PATH$:$LINE$:$COLUMN$: $MESSAGE$" />
                </FilterInfo>
                <FilterInfo>
                  <option name="description" value="" />
                  <option name="name" value="watchbuild, without a column" />
                  <option name="regExp" value="$FILE_PATH$:$LINE$: $MESSAGE$" />
                </FilterInfo>
              </array>
            </option>
            <option name="outputFromStdout" value="false" />
            <option name="program" value="watchbuild" />
            <option name="runOnExternalChanges" value="false" />
            <option name="scopeName" value="Project Files" />
            <option name="trackOnlyRoot" value="false" />
            <option name="workingDir" value="$ProjectFileDir$" />
            <envs />
          </TaskOptions>
        </component>
      </project>

      """#)
}
