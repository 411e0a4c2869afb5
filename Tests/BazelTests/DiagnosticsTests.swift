import Graph
import SystemPackage
import Testing

@testable import Bazel

struct DiagnosticsTests {
  /// A program's output, and `path:line:column severity message` for each diagnostic in it.
  struct Example: CustomTestStringConvertible {
    var tool: String
    var output: String
    var expected: [String]

    var testDescription: String { tool }
  }

  static let examples = [
    Example(
      tool: "GCC",
      output: """
        In file included from lib/cart.c:1:
        lib/cart.h:3:10: fatal error: nope.h: No such file or directory
            3 | #include <nope.h>
              |          ^~~~~~~~
        lib/cart.c: In function 'main':
        lib/cart.c:7:13: warning: unused variable 'x' [-Wunused-variable]
        lib/cart.c:7:13: note: declared here
        compilation terminated.
        """,
      expected: [
        "lib/cart.h:3:10 error nope.h: No such file or directory",
        "lib/cart.c:7:13 warning unused variable 'x' [-Wunused-variable]",
        "lib/cart.c:7:13 note declared here",
      ]),
    Example(
      tool: "Clang",
      output: """
        app/main.cc:5:3: error: use of undeclared identifier 'foo'
          foo();
          ^
        1 error generated.
        clang: error: linker command failed with exit code 1 (use -v to see invocation)
        """,
      expected: ["app/main.cc:5:3 error use of undeclared identifier 'foo'"]),
    Example(
      tool: "Swift",
      output: """
        Sources/App/main.swift:4:7: error: cannot find 'foo' in scope
        3 |
        4 | print(foo)
          |       `- error: cannot find 'foo' in scope
        """,
      expected: ["Sources/App/main.swift:4:7 error cannot find 'foo' in scope"]),
    Example(
      tool: "Go",
      output: """
        # example.com/cart
        services/cart/cart.go:10:5: undefined: total
        ./services/cart/util.go:3:8: package nope is not in std
        """,
      expected: [
        "services/cart/cart.go:10:5 error undefined: total",
        "services/cart/util.go:3:8 error package nope is not in std",
      ]),
    Example(
      tool: "javac",
      output: """
        src/main/java/Cart.java:12: error: cannot find symbol
            Total t;
            ^
          symbol:   class Total
        1 error
        """,
      expected: ["src/main/java/Cart.java:12 error cannot find symbol"]),
    Example(
      tool: "Kotlin",
      output: "src/Cart.kt:3:5: error: unresolved reference: total",
      expected: ["src/Cart.kt:3:5 error unresolved reference: total"]),
    Example(
      tool: "rustc",
      output: """
        error[E0425]: cannot find value `total` in this scope
         --> src/main.rs:4:20
          |
        4 |     println!("{}", total);
          |                    ^^^^^ not found in this scope

        warning: unused variable: `x`
          --> src/lib.rs:2:9

        error: aborting due to 1 previous error; 1 warning emitted
        """,
      expected: [
        "src/main.rs:4:20 error cannot find value `total` in this scope",
        "src/lib.rs:2:9 warning unused variable: `x`",
      ]),
    Example(
      tool: "tsc",
      output: """
        web/src/cart.ts(12,5): error TS2304: Cannot find name 'total'.
        web/src/item.ts:3:7 - error TS2322: Type 'string' is not assignable to type 'number'.
        """,
      expected: [
        "web/src/cart.ts:12:5 error TS2304: Cannot find name 'total'.",
        "web/src/item.ts:3:7 error TS2322: Type 'string' is not assignable to type 'number'.",
      ]),
    Example(
      tool: "Python",
      output: """
        Traceback (most recent call last):
          File "tools/gen.py", line 9, in <module>
            main()
          File "tools/gen.py", line 5, in main
            return json.loads(text)
          File "/usr/lib/python3.11/json/__init__.py", line 346, in loads
            return _default_decoder.decode(s)
        json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)
        """,
      expected: [
        "tools/gen.py:5 error json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)"
      ]),
    Example(
      tool: "Python syntax",
      output: """
          File "/w/tools/gen.py", line 3
            def f(:
                  ^
        SyntaxError: invalid syntax
        """,
      expected: ["tools/gen.py:3 error SyntaxError: invalid syntax"]),
    Example(
      tool: "protoc",
      output: """
        api/cart.proto:5:3: Expected ";".
        api/cart.proto:1:1: warning: Import google/protobuf/any.proto is unused.
        api/cart.proto: No syntax specified
        """,
      expected: [
        "api/cart.proto:5:3 error Expected \";\".",
        "api/cart.proto:1:1 warning Import google/protobuf/any.proto is unused.",
      ]),
    Example(
      tool: "bash",
      output:
        "tools/gen.sh: line 3: jq: command not found\n/bin/bash: line 1: jq: command not found",
      expected: ["tools/gen.sh:3 error jq: command not found"]),
    Example(
      tool: "Bazel",
      output: """
        ERROR: /w/syn/BUILD:1:18: syntax error at 'srcs': expected ,
        ERROR: /w/b/BUILD:8:8: Executing genrule //b:f3 failed: (Exit 7): bash failed: error executing command (cd /x && exec env - bash)
        ERROR: /w/app/BUILD:2:4: no such target '//lib:l': target 'l' not declared in package 'lib'
        ERROR: Skipping '//nope:x': no such package 'nope': BUILD file not found
        ERROR: --badflag :: Unrecognized option: --badflag
        WARNING: errors encountered while analyzing target '//app:image': it will not be built
        INFO: Elapsed time: 0.217s, Critical Path: 0.00s
        """,
      expected: [
        "syn/BUILD:1:18 error syntax error at 'srcs': expected ,",
        "b/BUILD:8:8 error Executing genrule //b:f3 failed: (Exit 7)",
        "app/BUILD:2:4 error no such target '//lib:l': target 'l' not declared in package 'lib'",
      ]),
    Example(
      tool: "Starlark",
      output: """
        ERROR: Traceback (most recent call last):
        \tFile "/w/fa/BUILD", line 1, column 5, in <toplevel>
        \t\tfail("boom")
        Error in fail: boom
        """,
      expected: ["fa/BUILD:1:5 error boom"]),
    Example(
      tool: "paths of sandboxes",
      output: """
        /base/sandbox/linux-sandbox/3/execroot/__main__/a/x.c:1:2: error: one
        /base/execroot/_main/bazel-out/k8-fastbuild/bin/gen/y.ts(3,4): error TS1: two
        bazel-out/k8-fastbuild/bin/gen/z.go:5:6: three
        /proc/self/cwd/a/v.c:7:8: error: four
        external/lib/w.c:9:1: error: five
        """,
      expected: [
        "a/x.c:1:2 error one", "gen/y.ts:3:4 error TS1: two", "gen/z.go:5:6 error three",
        "a/v.c:7:8 error four", "external/lib/w.c:9:1 error five",
      ]),
    Example(
      tool: "what only looks like a place",
      output: """
        12:30:15: starting
        localhost:8080: connection refused
        2026-11-21 02:56:04.853 error
        make: *** [Makefile:3: all] Error 2
        usr/bin/ld: a.o: undefined reference to `x'
        note: run with `RUST_BACKTRACE=1`
            at Object.<anonymous> (/w/a.js:1:7)
        """,
      expected: []),
  ]

  @Test(arguments: examples) func `compilers and Bazel are understood`(example: Example) {
    let found = Diagnostics.parse(example.output, workspace: "/w")
    #expect(found.map(Self.line) == example.expected)
  }

  @Test func `a diagnostic carries the target that it is about`() throws {
    let target = try #require(Label("//a:b"))
    let found = Diagnostics.parse(
      "a/b.c:1:2: error: no", workspace: "/w", target: target)
    #expect(
      found == [
        Diagnostic(
          target: target, file: "a/b.c", line: 1, column: 2, severity: .error, message: "no")
      ])
  }

  @Test func `repetitions are dropped and errors outlive warnings when there are too many`() {
    let text = """
      a.c:1:1: note: n
      a.c:2:1: warning: w
      a.c:3:1: error: e
      a.c:3:1: error: e
      a.c:4:1: warning: v
      a.c:5:1: error: f
      """
    let found = Diagnostics.parse(text, workspace: "/w", limit: 3)
    #expect(found.map(\.message) == ["w", "e", "f"])
    #expect(found.map(\.omitted) == [nil, nil, 2])
  }

  // MARK: Snippets

  private func snippets(_ text: String) -> [String?] {
    Diagnostics.parse(text, workspace: "/w").map(\.snippet)
  }

  @Test func `an excerpt and its caret belong to the diagnostic above them`() {
    let text = """
      a.c: In function 'f':
      a.c:3:1: error: e
          3 |   x
            |   ^
      a.c:5:1: error: f
          5 |   y
      """
    #expect(
      snippets(text) == [
        "a.c:3:1: error: e\n    3 |   x\n      |   ^", "a.c:5:1: error: f\n    5 |   y",
      ])
  }

  @Test func `a note is part of what it explains, and has its own lines too`() {
    let text = """
      a.c:3:1: error: e
      a.h:1:1: note: declared here
          1 | int x;
      """
    #expect(snippets(text) == [text, "a.h:1:1: note: declared here\n    1 | int x;"])
  }

  @Test func `what comes before its place is part of a diagnostic`() {
    let text = """
      error[E0425]: cannot find value `x`
       --> src/main.rs:4:5
        |
      4 |     x
        |     ^
      """
    #expect(snippets(text) == [text])
  }

  @Test func `the end of a long traceback stays`() {
    let frames = (1...8).map { "  File \"/w/a.py\", line \($0), in f\n    f()" }
    let lines = ["Traceback (most recent call last):"] + frames + ["ValueError: v"]
    let text = lines.joined(separator: "\n")
    #expect(
      snippets(text) == [
        text.split(separator: "\n").suffix(10).joined(separator: "\n")
      ])
  }

  @Test func `a single line needs no snippet, and a snippet is bounded`() {
    #expect(snippets("a.go:1:2: undefined: x") == [nil])
    let long =
      "a.c:1:1: error: e\n"
      + String(repeating: String(repeating: "x", count: 900) + "\n", count: 90)
    let snippet = snippets(long).first ?? nil
    #expect(snippet?.split(separator: "\n").map(\.count) == [17] + Array(repeating: 301, count: 9))
  }

  private static func line(_ diagnostic: Diagnostic) -> String {
    let column = diagnostic.column.map { ":\($0)" } ?? ""
    return "\(diagnostic.file):\(diagnostic.line)\(column) \(diagnostic.severity) "
      + diagnostic.message
  }
}
