import AsyncHTTPClient
import Crypto
import FoundationEssentials
import Logging
import NIOCore
import NIOHTTP1
import Subprocess
import SystemPackage

package enum RunnerModule {}
