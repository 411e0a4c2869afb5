import ArgumentParser
import Batching
import Settings

extension BusyPolicy.Choice: ExpressibleByArgument {}
extension ColorChoice: ExpressibleByArgument {}
extension OutputMode: ExpressibleByArgument {}
