// Only in the addon that counts what is executed: vitest ends its processes by a signal, at which counts would be lost.
#include <unistd.h>

#include <csignal>

extern "C" void __gcov_dump();

namespace {

struct DumpsAtEnd {
  DumpsAtEnd() {
    (void)std::signal(SIGTERM, [](int) {
      __gcov_dump();
      _exit(0);
    });
  }
} dumps_at_end;

}  // namespace
