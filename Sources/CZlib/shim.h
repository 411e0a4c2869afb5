#pragma once

#include <zlib.h>

// What zlib has as a macro, which Swift can't call.
static inline int watchbuild_inflate_init(z_streamp stream) {
  // 15 bits of window, and gzip's header and trailer, which are checked.
  return inflateInit2(stream, 15 + 16);
}
