/// Finds images that wait for each other.
enum RequireCycle {
  /// - Returns: The names along the circle, the first repeated at the end; `nil` if there is none.
  static func find(in requires: [String: [String]]) -> [String]? {
    var finished: Set<String> = []
    for start in requires.keys.sorted() where !finished.contains(start) {
      // The way down, with what is left to be visited at each step.
      var path = [start]
      var remaining = [requires[start] ?? []]
      var places = [start: 0]
      while let name = path.last {
        guard let next = remaining[path.count - 1].popLast() else {
          finished.insert(name)
          places[name] = nil
          path.removeLast()
          remaining.removeLast()
          continue
        }
        if let first = places[next] { return path[first...] + [next] }
        guard !finished.contains(next) else { continue }
        places[next] = path.count
        path.append(next)
        remaining.append(requires[next] ?? [])
      }
    }
    return nil
  }
}
