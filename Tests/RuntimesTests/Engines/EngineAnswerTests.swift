import Testing

@testable import Runtimes

@Suite struct EngineAnswerTests {
  private func failure(_ chunks: [String]) -> String? {
    var answer = EngineAnswer()
    for chunk in chunks { answer.append(chunk.utf8) }
    answer.finish()
    return answer.failure
  }

  @Test(arguments: [
    [], ["\n\r\n"], ["{\"stream\":\"Loaded image: lab/app:dev\\n\"}\n"],
    ["{\"stre", "am\":\"Loaded image: lab/app:dev\\n\"}"],
    ["{\"status\":\"Loading layer\",\"progressDetail\":{\"current\":1},\"id\":\"ab\"}\r\n"],
  ])
  func `a load that went well has no failure`(chunks: [String]) {
    #expect(failure(chunks) == nil)
  }

  @Test func `a failure under status 200 is found, also cut into pieces`() {
    let body = #"{"errorDetail":{"message":"no space left"},"error":"no space left"}"#
    #expect(failure(["{\"stream\":\"x\"}\n", body]) == "no space left")
    #expect(failure(body.map { String($0) }) == "no space left")
    #expect(failure([#"{"error":"denied"}"#]) == "denied")
  }

  @Test func `the first of several failures is told`() {
    #expect(failure([#"{"error":"first"}"#, "\n", #"{"error":"second"}"#, "\n"]) == "first")
  }

  @Test func `an image that was tagged but not unpacked is a failure`() {
    let body = #"{"stream":"Error unpacking image docker.io/lab/app:dev: not found\n"}"# + "\n"
    #expect(failure([body]) == "Error unpacking image docker.io/lab/app:dev: not found")
  }

  @Test func `an answer that is no engine's is a failure`() {
    #expect(failure(["<html>proxy</html>"]) == "unexpected answer: <html>proxy</html>")
    #expect(failure([String(repeating: "x", count: 1 << 20)])?.count == 219)
  }

  @Test func `the message of an error status is taken from its body`() {
    #expect(
      EngineAnswer.message(of: Array(#"{"message":"no such image"}"#.utf8)) == "no such image")
    #expect(EngineAnswer.message(of: Array("404 page not found\n".utf8)) == "404 page not found")
    #expect(EngineAnswer.message(of: []) == "no message")
  }
}
