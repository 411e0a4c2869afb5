extension EditorSnippet {
  /// A page for an agent's instructions, with a hook that waits after each edit.
  static let agent = EditorSnippet(
    sample: "agent/AGENTS.md",
    text: #"""
      # Container images in this workspace

      `watchbuild dev` runs in the background. It builds and loads the images that each saved file affects. Never run
      `bazel build` or `docker build` for an image yourself.

      After you have changed files, ask whether the change is in:

          watchbuild wait --change PATH --for live --timeout 5m --json

      - exit 0: the verdict is `ok` (built, loaded, and running where it is rolled out) or `unaffected` (no image depends on PATH)
      - exit 1: a build failed; `diagnostics` has file, line and message. Mend it and wait again
      - exit 3: a load failed; exit 4: a rollout or a hook failed; `images` says why
      - exit 5: no `watchbuild dev` runs here: start one, or run `watchbuild build --affected-by PATH`
      - exit 124: not within the timeout; `watchbuild status --json` says what it is doing

      More questions: `watchbuild affected PATH --why`, `watchbuild logs IMAGE`, `watchbuild images --json`.

      A hook that runs after each edit, with the edited file as its argument:

          #!/bin/sh
          exec watchbuild wait --change "$1" --for loaded --timeout 5m

      """#)
}
