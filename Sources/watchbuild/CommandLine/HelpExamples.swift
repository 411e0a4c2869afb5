/// Examples of how each command is used, by its name.
enum HelpExamples {
  static let lines: [String: [String]] = [
    "": ["watchbuild dev", "watchbuild build", "watchbuild help dev"],
    "dev": [
      "watchbuild dev", "watchbuild dev api --load podman",
      "watchbuild dev //services/... --debounce 100ms -- --config=dev",
    ],
    "build": [
      "watchbuild build", "watchbuild build api --output json",
      "watchbuild build --affected-by lib/money.go lib/tax.go",
    ],
    "images": ["watchbuild images", "watchbuild images //services/... --json"],
    "logs": ["watchbuild logs api", "watchbuild logs --cycle 7"],
    "affected": ["watchbuild affected lib/money.go --why"],
    "trigger": ["watchbuild trigger --wait", "watchbuild trigger api"],
    "wait": ["watchbuild wait --change src/cart.go --for loaded --timeout 2m"],
    "status": ["watchbuild status --json"],
    "events": ["watchbuild events --follow"],
    "pause": ["watchbuild pause"],
    "resume": ["watchbuild resume"],
    "stop": ["watchbuild stop"],
    "profile": [
      "watchbuild profile", "watchbuild profile 7 --trace cycle.json",
      "watchbuild profile --run 4711",
    ],
    "prune": ["watchbuild prune --dry-run", "watchbuild prune --keep 1 --older-than 1h"],
    "doctor": ["watchbuild doctor", "watchbuild doctor --load kind --bazel bazelisk"],
    "init": ["watchbuild init", "watchbuild init --from skaffold.yaml --stdout"],
    "config": ["watchbuild config validate", "watchbuild config print"],
    "config validate": ["watchbuild config validate -f ci.yaml"],
    "config print": ["watchbuild config print -p podman", "watchbuild config print --origin"],
    "config schema": ["watchbuild config schema > watchbuild.schema.json"],
    "editor": ["watchbuild editor vscode > .vscode/tasks.json", "watchbuild editor agent"],
    "manual": ["watchbuild manual > watchbuild.1"],
  ]
}
