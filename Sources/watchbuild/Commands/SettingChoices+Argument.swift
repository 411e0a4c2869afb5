import ArgumentParser
import Batching

extension BusyPolicy.Choice: ExpressibleByArgument {}
extension ColorChoice: ExpressibleByArgument {}
extension OutputMode: ExpressibleByArgument {}
