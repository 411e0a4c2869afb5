import Testing

@testable import Runner

@Suite struct DeliveryOrderTests {
  private let docker = DeliveryStep.load(into: "docker")
  private let podman = DeliveryStep.load(into: "podman")
  private let rollout = DeliveryStep.rollout(of: "container cart")

  @Test func `a stage begins when every step before it has ended well`() {
    var order = DeliveryOrder()
    let (number, first) = order.begin([[docker, podman], [rollout]])
    #expect(first == [docker, podman])
    #expect(order.ended(docker, of: number, isDone: true) == [])
    #expect(order.ended(podman, of: number, isDone: true) == [rollout])
    #expect(!order.isEmpty)
    #expect(order.ended(rollout, of: number, isDone: true) == [])
    #expect(order.isEmpty)
  }

  @Test func `nothing begins behind a step that failed, and the others are waited for`() {
    var order = DeliveryOrder()
    let (number, _) = order.begin([[docker, podman], [rollout]])
    #expect(order.ended(docker, of: number, isDone: false) == [])
    #expect(!order.isEmpty)
    #expect(order.ended(podman, of: number, isDone: true) == [])
    #expect(order.isEmpty)
  }

  @Test func `deliveries go side by side`() {
    var order = DeliveryOrder()
    let (cart, _) = order.begin([[docker], [rollout]])
    let (web, _) = order.begin([[docker]])
    #expect(order.ended(docker, of: web, isDone: true) == [])
    #expect(order.ended(docker, of: cart, isDone: true) == [rollout])
  }

  @Test func `a step that ends twice begins nothing twice, and without steps nothing is open`() {
    var order = DeliveryOrder()
    let (number, _) = order.begin([[docker], [rollout]])
    #expect(order.ended(docker, of: number, isDone: true) == [rollout])
    #expect(order.ended(docker, of: number, isDone: true) == [])
    var empty = DeliveryOrder()
    #expect(empty.begin([]).steps == [])
    #expect(empty.isEmpty)
  }
}
