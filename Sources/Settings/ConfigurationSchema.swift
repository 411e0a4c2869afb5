import Graph

/// The JSON Schema of `watchbuild.yaml`, for editors.
///
/// A test reads configurations generated from it, and mistaken ones, and compares its verdict with
/// that of `ConfigurationReader`. The reader alone knows what one value means for another, such as
/// two images of one name.
package enum ConfigurationSchema {
  package static let text = #"""
    {
      "$schema": "https://json-schema.org/draft/2020-12/schema",
      "title": "watchbuild.yaml",
      "description": "What watchbuild watches, builds, loads and rolls out.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "bazel": {"$ref": "#/$defs/bazel"},
        "watch": {"$ref": "#/$defs/watch"},
        "batch": {"$ref": "#/$defs/batch"},
        "images": {"$ref": "#/$defs/images"},
        "load": {"$ref": "#/$defs/load"},
        "rollout": {"$ref": "#/$defs/verification"},
        "hooks": {"$ref": "#/$defs/hooks"},
        "prune": {"$ref": "#/$defs/prune"},
        "profiles": {
          "type": "object",
          "description": "Parts merged over the rest with -p NAME. A list takes the place of a list.",
          "additionalProperties": {"$ref": "#/$defs/profile"}
        }
      },
      "$defs": {
        "profile": {
          "type": "object",
          "additionalProperties": false,
          "properties": {
            "bazel": {"$ref": "#/$defs/bazel"},
            "watch": {"$ref": "#/$defs/watch"},
            "batch": {"$ref": "#/$defs/batch"},
            "images": {"$ref": "#/$defs/images"},
            "load": {"$ref": "#/$defs/load"},
            "rollout": {"$ref": "#/$defs/verification"},
            "hooks": {"$ref": "#/$defs/hooks"},
            "prune": {"$ref": "#/$defs/prune"}
          }
        },
        SECTIONS,
        "images": {
          "type": "array",
          "items": {"oneOf": [{"$ref": "#/$defs/image"}, {"$ref": "#/$defs/query"}]}
        },
        "image": {
          "type": "object",
          "additionalProperties": false,
          "required": ["target"],
          "properties": {
            "name": {"$ref": "#/$defs/name", "description": "Default: the package's name."},
            "target": {"$ref": "#/$defs/label", "description": "Any label that yields an image."},
            "outputGroup": {
              "type": "string", "pattern": "^[^\\s,]+$", "examples": ["tarball"],
              "description": "Where the image is not a default output."
            },
            "ref": {
              "description": "Its names in the runtime. Default: all that the target gives, else NAME:dev.",
              "oneOf": [
                {"$ref": "#/$defs/reference"},
                {"type": "array", "items": {"$ref": "#/$defs/reference"}}
              ]
            },
            "from": {SOURCES, "description": "What is loaded."},
            "options": {"$ref": "#/$defs/options", "description": "For this image alone."},
            "platform": {"$ref": "#/$defs/label", "description": "--platforms for this image alone."},
            "workspace": {
              "type": "string", "examples": ["other", "../shared"],
              "description": "Another Bazel workspace, relative to this file."
            },
            "requires": {
              "type": "array", "items": {"$ref": "#/$defs/name"},
              "description": "Build only after these images have been loaded."
            },
            "rollout": {"$ref": "#/$defs/rollout"}
          }
        },
        "query": {
          "type": "object",
          "additionalProperties": false,
          "required": ["query"],
          "properties": {
            "query": {
              "type": "string", "pattern": "\\S", "examples": ["kind(\"oci_load\", //services/...)"],
              "description": "A Bazel query; what it finds are images."
            },
            "exclude": {"type": "array", "items": {"$ref": "#/$defs/label"}}
          }
        },
        "rollout": {
          "description": "What runs the image, and is made to run the new one.",
          "oneOf": [
            {
              "type": "object", "additionalProperties": false, "required": ["signal", "pidFile"],
              "properties": {
                "signal": {"type": "string", "pattern": "^(SIG)?[A-Z0-9]+$", "examples": ["HUP", "SIGTERM"]},
                "pidFile": {"type": "string", "minLength": 1, "examples": ["run/api.pid"]}
              }
            },
            {
              "type": "object", "additionalProperties": false, "required": ["command"],
              "properties": {"command": {"$ref": "#/$defs/command"}}
            },
            {
              "type": "object", "additionalProperties": false, "required": ["container"],
              "properties": {
                "container": {"$ref": "#/$defs/word"},
                "sync": {"$ref": "#/$defs/sync"},
                "then": {"$ref": "#/$defs/then"}
              },
              "dependentRequired": {"then": ["sync"]}
            },
            {
              "type": "object", "additionalProperties": false, "required": ["compose"],
              "properties": {
                "compose": {"$ref": "#/$defs/word"},
                "file": {"type": "string", "minLength": 1, "examples": ["compose.yaml"]},
                "project": {"$ref": "#/$defs/word"},
                "sync": {"$ref": "#/$defs/sync"},
                "then": {"$ref": "#/$defs/then"}
              },
              "dependentRequired": {"then": ["sync"]}
            },
            {
              "type": "object", "additionalProperties": false, "required": ["kubernetes"],
              "properties": {
                "kubernetes": {
                  "type": "string", "examples": ["deployment/api", "pod/api"],
                  "pattern": "^((deployment|statefulset|daemonset|pod)s?|deploy|sts|ds|po)/[^-/][^/]*$"
                },
                "container": {"$ref": "#/$defs/word"},
                "namespace": {"$ref": "#/$defs/word"},
                "context": {"type": "string", "pattern": "^[^-]", "examples": ["kind-dev"]},
                "sync": {"$ref": "#/$defs/sync"},
                "then": {"$ref": "#/$defs/then"}
              },
              "dependentRequired": {"then": ["sync"]}
            }
          ]
        },
        "verification": {
          "type": "object",
          "additionalProperties": false,
          "properties": {
            "verify": {VERIFICATIONS, "description": "How far a rollout is followed."},
            "timeout": {"$ref": "#/$defs/timeout"}
          }
        },
        "hooks": {
          "type": "object",
          "additionalProperties": false,
          "properties": {
            "beforeBuild": {"type": "array", "items": {"$ref": "#/$defs/hook"}},
            "afterLoad": {"type": "array", "items": {"$ref": "#/$defs/hook"}},
            "onFailure": {"type": "array", "items": {"$ref": "#/$defs/hook"}}
          }
        },
        "hook": {
          "type": "object",
          "additionalProperties": false,
          "required": ["run"],
          "properties": {
            "run": {"$ref": "#/$defs/command"},
            "images": {"type": "array", "items": {"type": "string", "examples": ["api"]}},
            "timeout": {"$ref": "#/$defs/timeout"}
          }
        },
        "command": {
          "type": "array", "minItems": 1, "description": "A program and its arguments; no shell reads them.",
          "items": {"type": "string", "examples": ["./smoke.sh", "make"]}
        },
        "options": {
          "type": "array",
          "items": {
            "type": "string", "pattern": "^(?!//|@|--?$).", "examples": ["--config=dev", "--jobs=2"]
          }
        },
        "label": {
          "type": "string", "pattern": "^(@|//)", "examples": ["//services/api:image.tar", "//services/api"]
        },
        "name": {"type": "string", "pattern": "^[^-/\\s?*:,@][^\\s?*:,@]*$", "examples": ["api", "base"]},
        "sync": {
          "type": "boolean",
          "description": "Where files alone differ, write the difference into what runs instead of a restart."
        },
        "then": {
          "description": "How the program is told of new files.",
          "oneOf": [
            {
              "type": "object", "additionalProperties": false, "required": ["signal"],
              "properties": {
                "signal": {"type": "string", "pattern": "^(SIG)?[A-Z0-9]+$", "examples": ["HUP", "SIGUSR1"]}
              }
            },
            {
              "type": "object", "additionalProperties": false, "required": ["command"],
              "properties": {"command": {"$ref": "#/$defs/command"}}
            }
          ]
        },
        "word": {"type": "string", "pattern": "^[A-Za-z0-9._][A-Za-z0-9._-]*$", "examples": ["web", "dev"]},
        "reference": {
          "type": "string", "pattern": "^[A-Za-z0-9]\\S*$", "examples": ["registry.local/api:dev", "api:dev"]
        },
        "duration": {
          "type": "string", "pattern": "^[0-9]{1,12}(\\.[0-9]{1,3})?(ms|s|m|h)$", "examples": ["30ms", "2s", "1m"]
        },
        "timeout": {
          "type": "string", "pattern": "^[0-9.]*[1-9][0-9.]*(ms|s|m|h)$", "examples": ["60s", "1m"]
        }
      }
    }

    """#
    .replacing("SECTIONS", with: sections)
    .replacing("SOURCES", with: choices(ImageSource.Choice.self))
    .replacing("VERIFICATIONS", with: choices(RolloutVerification.self))

  /// The sections that are settings alone.
  private static var sections: String {
    SettingKeys.sections.map { section in
      let properties = SettingKeys.settings(of: section).map { key, setting in
        "            \"\(key)\": \(setting.schema)"
      }
      return """
        "\(section)": {
                  "type": "object",
                  "additionalProperties": false,
                  "properties": {
        \(properties.joined(separator: ",\n"))
                  }
                }
        """
    }.joined(separator: ",\n        ")
  }

  private static func choices<Choice>(_ type: Choice.Type) -> String
  where Choice: RawRepresentable<String> & CaseIterable {
    let words = type.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
    return #""type": "string", "enum": [\#(words)]"#
  }
}
