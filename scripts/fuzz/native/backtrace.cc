// Preloaded into the children of load.mjs: where a signal ends the process, the frames of the thread go to
// stderr, each with its file. A stack that overflowed has none left to do that on, so each thread gets a
// second one.
#include <dlfcn.h>
#include <execinfo.h>
#include <pthread.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <cstring>

namespace {

constexpr size_t kStackBytes = 256 << 10;
constexpr std::array<int, 5> kSignals = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

void Say(const char* text) { (void)!write(STDERR_FILENO, text, std::strlen(text)); }

void Tell(int signal, siginfo_t*, void*) {
  std::array<void*, 64> frames;
  Say("FRAMES\n");
  backtrace_symbols_fd(frames.data(), backtrace(frames.data(), frames.size()), STDERR_FILENO);
  Say("END OF FRAMES\n");
  ::signal(signal, SIG_DFL);
  raise(signal);
}

void GiveStack() {
  stack_t stack{};
  stack.ss_sp = std::malloc(kStackBytes);
  stack.ss_size = kStackBytes;
  sigaltstack(&stack, nullptr);
}

struct Start {
  void* (*run)(void*);
  void* argument;
};

void* Run(void* given) {
  const Start start = *static_cast<Start*>(given);
  delete static_cast<Start*>(given);
  GiveStack();
  return start.run(start.argument);
}

// Again with each thread: Node takes all handlers away at its start.
void Watch() {
  struct sigaction action{};
  action.sa_sigaction = Tell;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
  for (const int signal : kSignals) sigaction(signal, &action, nullptr);
}

__attribute__((constructor)) void Begin() {
  std::array<void*, 1> first;
  backtrace(first.data(), first.size());  // opens libgcc now, not in the handler
  GiveStack();
}

}  // namespace

extern "C" int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*run)(void*),
                              void* argument) {
  static const auto real = reinterpret_cast<decltype(&pthread_create)>(dlsym(RTLD_NEXT, "pthread_create"));
  Watch();
  return real(thread, attributes, Run, new Start{run, argument});
}
