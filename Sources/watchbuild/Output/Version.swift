/// The version that `--version`, the `started` event and the banner show.
let watchbuildVersion = "0.1.0"
