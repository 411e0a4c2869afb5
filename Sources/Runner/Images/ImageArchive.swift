package struct ImageArchive: Sendable {
}
