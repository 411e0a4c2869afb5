/// A file that the page is made of; all of them are part of the program.
struct PageFile: Sendable {
  var type: String
  var bytes: [UInt8]

  static let page = PageFile(type: "text/html; charset=utf-8", bytes: PackageResources.index_html)
  /// For whoever comes without the token.
  static let locked = PageFile(
    type: "text/html; charset=utf-8", bytes: PackageResources.locked_html)

  /// By the path that the page asks for.
  static let all: [String: PageFile] = [
    "/page/style.css": PageFile(type: "text/css; charset=utf-8", bytes: PackageResources.style_css),
    "/page/parts.css": PageFile(type: "text/css; charset=utf-8", bytes: PackageResources.parts_css),
    "/page/app.js": script(PackageResources.app_js),
    "/page/dom.js": script(PackageResources.dom_js),
    "/page/text.js": script(PackageResources.text_js),
    "/page/headline.js": script(PackageResources.headline_js),
    "/page/tiles.js": script(PackageResources.tiles_js),
    "/page/lanes.js": script(PackageResources.lanes_js),
    "/page/saves.js": script(PackageResources.saves_js),
    "/page/errors.js": script(PackageResources.errors_js),
    "/page/why.js": script(PackageResources.why_js),
    "/page/health.js": script(PackageResources.health_js),
    "/favicon.ico": PageFile(type: "image/svg+xml", bytes: PackageResources.icon_svg),
  ]

  private static func script(_ bytes: [UInt8]) -> PageFile {
    PageFile(type: "text/javascript; charset=utf-8", bytes: bytes)
  }
}
