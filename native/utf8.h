// Is it UTF-8? V8 would put U+FFFD for what is not, and lose the bytes.
#pragma once

#include <cstddef>

namespace tf_session {

enum class Encoding {
  kAscii,
  kUtf8,
  kOther,
};

// By the Unicode standard's table of well-formed sequences: no overlong forms, no surrogates, at most
// U+10FFFF.
Encoding EncodingOf(const char* data, size_t size);

}  // namespace tf_session
