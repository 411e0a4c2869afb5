import Graph
import Testing

@testable import Bazel

/// What is found, and what is built for it, by the rules that a query tells of.
struct ImageStoryTests {
  private func rule(
    _ name: String, _ kind: String, _ attributes: [String: [String]] = [:], inputs: [String] = [],
    outputs: [String] = []
  ) -> QueryStream.Target {
    QueryStream.Target(
      entry: .rule(name: name, kind: kind, inputs: inputs + attributes.values.joined()),
      attributes: attributes, outputs: outputs)
  }

  private func found(_ targets: QueryStream.Target...) -> [String] {
    ImageStory(targets).images { _ in true }.map(\.label.description)
  }

  private func source(
    of label: String, _ targets: QueryStream.Target...
  ) throws -> ImageSource {
    ImageStory(targets).source(of: try #require(Label(label)))
  }

  // MARK: Which images there are

  @Test func `an image that a loader loads is no image of its own`() {
    #expect(
      found(
        rule("//a:image", "oci_image"),
        rule("//a:load", "oci_load", ["image": ["//a:image"]]),
        rule("//b:alone", "oci_image")) == ["//a:load", "//b:alone"])
  }

  @Test func `what a loader reaches over aliases, indexes and transitions is none either`() {
    #expect(
      found(
        rule("//a:amd64", "oci_image", ["base": ["//base:image"]]),
        rule("//a:arm64", "oci_image", ["base": ["//base:image"]]),
        rule("//a:arm64_built", "platform_transition_filegroup", ["srcs": ["//a:arm64"]]),
        rule("//a:index", "oci_image_index", ["images": ["//a:amd64", "//a:arm64_built"]]),
        rule("//a:current", "alias", ["actual": ["@@//a:index"]]),
        rule("//a:load", "oci_load", ["image": ["//a:current"]]),
        rule("//base:image", "oci_image")) == ["//a:load"])
  }

  @Test func `an alias with a select leads to all that it may choose`() {
    #expect(
      found(
        rule("//a:one", "oci_image"), rule("//a:two", "oci_image"),
        rule("//a:chosen", "alias", inputs: ["//a:one", "//a:two", "//a:condition"]),
        rule("//a:load", "oci_load", ["image": ["//a:chosen"]])) == ["//a:load"])
  }

  @Test func `what a rule of somebody's own hands on serves, too`() {
    #expect(
      found(
        rule("//a:image", "oci_image"),
        rule("//a:multi", "_multi_arch", inputs: ["//a:image", "//tools:x"]),
        rule("//a:index", "oci_image_index", ["images": ["//a:multi"]])) == ["//a:index"])
  }

  @Test func `bases and the images of a bundle are none`() {
    #expect(
      found(
        rule("//a:base", "container_image_"),
        rule("//a:app", "container_image_", ["base": ["//a:base"]]),
        rule("//a:bundle", "container_bundle_", ["image_targets": ["//a:app"]]),
        rule("//a:py.0", "_app_layer"), rule("//a:py", "_app_layer", ["base": ["//a:py.0"]]))
        == ["//a:bundle", "//a:py"])
  }

  @Test func `a base that is named by its file is none`() {
    #expect(
      found(
        rule("//a:base", "container_image_", outputs: ["//a:base.tar"]),
        QueryStream.Target(entry: .generatedFile(name: "//a:base.tar", rule: "//a:base")),
        rule("//a:app", "container_image_", ["base": ["//a:base.tar"]])) == ["//a:app"])
  }

  @Test func `two loaders of one image are two images`() {
    #expect(
      found(
        rule("//a:image", "image_manifest"),
        rule("//a:one", "image_load", ["image": ["//a:image"]]),
        rule("//a:two", "image_load", ["image": ["//a:image"]])) == ["//a:one", "//a:two"])
  }

  @Test func `tags tell what is to be found, and manual hides nothing`() {
    #expect(
      found(
        rule("//a:tool", "genrule", ["tags": ["watchbuild"]]), rule("//a:other", "genrule"),
        rule("//a:image", "oci_image", ["tags": ["watchbuild"]]),
        rule("//a:load", "oci_load", ["image": ["//a:image"], "tags": ["manual"]]),
        rule("//b:image", "oci_image"),
        rule("//b:load", "oci_load", ["image": ["//b:image"], "tags": ["no-watchbuild"]]))
        == ["//a:image", "//a:load", "//a:tool"])
  }

  @Test func `of what a query lists, what serves another of it is none`() throws {
    let story = ImageStory([
      rule("//a:image", "oci_image"), rule("//a:load", "oci_load", ["image": ["//a:image"]]),
      rule("//b:image", "oci_image"),
    ])
    let listed = try ["//a:image", "//a:load", "//b:image", "//c:file.tar"].map {
      try #require(Label($0))
    }
    #expect(
      story.images(listed: listed).map(\.label.description)
        == ["//a:load", "//b:image", "//c:file.tar"])
  }

  // MARK: What is built

  @Test func `a loader of rules_oci is loaded from its layout and its tags, else from its tar`()
    throws
  {
    let source = try source(
      of: "//a:load",
      rule("//a:load", "oci_load", ["image": ["//a:image"], "repo_tags": ["//a:load_write_tags"]]),
      rule("//a:load_write_tags", "_write_file", ["content": ["x/a:1", "x/a:2 x/a:3", ""]]))
    #expect(source.ways.map(\.form) == [.layout, .archive])
    #expect(
      source.ways[0].products.map(\.label.description) == ["//a:image", "//a:load_write_tags"])
    #expect(source.ways[0].outputGroups == [])
    #expect(source.ways[1].image.outputGroup == "tarball")
    #expect(source.names == ["x/a:1", "x/a:2", "x/a:3"])
  }

  @Test func `names in a stamped file are known when it is built`() throws {
    let tags = ["image": ["//a:image"], "repo_tags": ["//a:tags"]]
    let stamped = try source(
      of: "//a:load", rule("//a:load", "oci_tarball", tags),
      rule("//a:tags", "expand_template_rule", ["content": ["x/a:{V}"]]))
    #expect(stamped.names == nil)
    let none = try source(of: "//a:load", rule("//a:load", "oci_tarball", ["image": ["//a:i"]]))
    #expect(none.names == [])
    #expect(none.ways[1].image.outputGroup == nil)
  }

  @Test func `a loader of rules_img asks for no tar, and for no base layers where there are none`()
    throws
  {
    let source = try source(
      of: "//a:load", rule("//a:load", "image_load", ["image": ["//a:image"], "tag": ["x/a:1"]]),
      rule("//a:image", "image_manifest", ["layers": ["//a:layer"], "base": ["//b:image"]]),
      rule("//b:image", "image_manifest", ["layers": ["//b:layer"], "base": ["@pulled//:image"]]),
      rule("@pulled//:image", "image_manifest", ["layers": ["@pulled//:layer"]]))
    #expect(source.ways.map(\.form) == [.layout, .sparseLayout, .archive])
    #expect(source.ways[0].outputGroups == ["oci_layout", "deploy_manifest"])
    #expect(source.ways[0].avoidedGroups == ["tarball"])
    #expect(source.ways[1].layers.map(\.description) == ["//a:layer", "//b:layer"])
    #expect(source.ways[1].outputGroups == ["sparse_oci_layout", "deploy_manifest"])
    #expect(source.ways[2].outputGroups == ["tarball", "deploy_manifest"])
    #expect(source.names == ["x/a:1"])
  }

  @Test(arguments: [
    (
      ["registry": ["r.io"], "repository": ["t/a"], "tag_list": ["1", "2"]],
      ["r.io/t/a:1", "r.io/t/a:2"]
    ),
    (["tag": ["a:{{.V}}"]], nil), (["tag_file": ["//a:t"]], nil), ([:], []),
  ])
  func `names of rules_img are put together from parts`(
    _ attributes: [String: [String]], _ names: [String]?
  ) throws {
    #expect(try source(of: "//a:load", rule("//a:load", "image_load", attributes)).names == names)
  }

  @Test func `the tar of rules_docker is a file of its own`() throws {
    let image = try source(
      of: "//a:api",
      rule("//a:api", "container_image_", outputs: ["//a:api.tar", "//a:api-layer.tar"]))
    #expect(image.ways.flatMap(\.products).map(\.label.description) == ["//a:api.tar"])
    #expect(image.names == ["bazel/a:api"])
    let bundle = try source(
      of: "//a:both", rule("//a:both", "container_bundle_", ["tar_output": ["//a:every.tar"]]))
    #expect(bundle.ways[0].image.label.description == "//a:every.tar")
    let imported = try source(of: "//a:base", rule("//a:base", "container_import"))
    #expect(imported.ways[0].image.label.description == "//a:base")
  }

  @Test func `an alias or a filegroup stands for what is behind it`() throws {
    let targets = [
      rule("//x:alias", "alias", ["actual": ["//x:group"]]),
      rule("//x:group", "filegroup", ["srcs": ["//a:load"]]),
      rule("//a:load", "oci_load", ["image": ["//a:image"]]),
      rule("//x:built", "platform_transition_filegroup", ["srcs": ["//a:image"]]),
      rule("//a:image", "oci_image"),
    ]
    let story = ImageStory(targets)
    let alias = story.source(of: try #require(Label("//x:alias")))
    #expect(alias.ways[0].image.label.description == "//a:image")
    // It has the image built in a configuration of its own.
    let transition = story.source(of: try #require(Label("//x:built")))
    #expect(transition.ways == [.init(.layout, .init(try #require(Label("//x:built"))))])
  }

  @Test func `aliases in a circle and targets of which nothing is known make an archive`() throws {
    let targets = [
      rule("//x:a", "alias", ["actual": ["//x:b"]]), rule("//x:b", "alias", ["actual": ["//x:a"]]),
      rule("//x:c", "my_rule"),
      rule("//x:d", "filegroup", ["srcs": ["//a:load"], "output_group": ["tarball"]]),
      rule("//a:load", "oci_load", ["image": ["//a:image"]]),
    ]
    for name in ["//x:a", "//x:c", "//x:d", "//x:unknown"] {
      let label = try #require(Label(name))
      #expect(ImageStory(targets).source(of: label) == ImageSource(archiveOf: label))
    }
  }

  @Test func `a name that Bazel writes otherwise is known by its package`() throws {
    let label = try #require(Label("@corp//p:load"))
    let story = ImageStory([
      rule("@@corp.lib~//p:load", "oci_load", ["image": ["@@corp.lib~//p:i"]])
    ])
    #expect(story.knows(label))
    #expect(story.source(of: label).ways.first?.form == .layout)
  }

  // MARK: The query

  @Test func `one query asks for what is searched and what is named, and what these stand on`()
    throws
  {
    let text = StoryQuery.text(
      labels: [try #require(Label("//a:b c"))],
      patterns: [.everything, try #require(LabelPattern("//x:all"))])
    #expect(text.hasPrefix(#"let v0 = set("//a:b c") union kind("^(oci_load|"#))
    #expect(text.contains(#"attr("tags", "\bwatchbuild\b", //...)"#))
    #expect(text.contains(#"attr("tags", "\bwatchbuild\b", //x:all)"#))
    #expect(text.contains(#"labels("image", $v0)"#))
    #expect(text.hasSuffix(" in $v4"))
  }
}
