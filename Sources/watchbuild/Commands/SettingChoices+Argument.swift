import ArgumentParser
import Batching
import Settings

extension BellChoice: ExpressibleByArgument {}
extension BusyPolicy.Choice: ExpressibleByArgument {}
extension ColorChoice: ExpressibleByArgument {}
extension ServerWatchChoice: ExpressibleByArgument {}
extension OutputMode: ExpressibleByArgument {}
