// The only include of napi.h: NAPI_VERSION, C++ exceptions and the swallowing of errors that nobody can catch
// any more (a worker being terminated) are defined in CMakeLists.txt, the same for every file.
#pragma once

#include <napi.h>
