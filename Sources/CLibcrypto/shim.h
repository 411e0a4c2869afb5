#pragma once

// The functions that work on a plain struct: a hash is then a value, which can be copied. OpenSSL keeps them, though it
// would rather have its own objects used.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>
