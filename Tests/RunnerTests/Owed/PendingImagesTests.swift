import Runner
import Testing

@Suite struct PendingImagesTests {
  @Test func `success pays what was owed when the build began`() {
    var pending = PendingImages()
    pending.owe(["api", "web"])
    let start = pending.now
    pending.settle("api", asOf: start)
    #expect(pending.names == ["web"])
  }

  @Test func `a change during the build is owed one more build`() {
    var pending = PendingImages()
    pending.owe(["api"])
    let start = pending.now
    pending.owe(["api"])
    pending.settle("api", asOf: start)
    #expect(pending.names == ["api"])
  }

  @Test func `an image that is no longer configured is owed nothing`() {
    var pending = PendingImages()
    pending.owe(["api", "web"])
    pending.keep(["web"])
    #expect(pending.names == ["web"])
  }
}
