// An addon for tests under AddressSanitizer: leaks looked for at a time of the caller's choice. A process that a signal
// ends, as vitest ends its own, would never look for them.
#include <napi.h>
#include <sanitizer/lsan_interface.h>

// True where something leaked; what it was stands in the sanitizer's log.
static Napi::Value HasLeaks(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), __lsan_do_recoverable_leak_check() != 0);
}

// A leak on purpose, by which it is seen that leaks are found.
static void Leak(const Napi::CallbackInfo& info) {
  constexpr size_t kBytes = 4321;
  auto* volatile bytes = new char[kBytes];
  bytes[0] = static_cast<char>(info.Length());
  bytes = nullptr;
}

static Napi::Object Init(Napi::Env env, Napi::Object exports) {
  exports.Set("hasLeaks", Napi::Function::New(env, HasLeaks));
  exports.Set("leak", Napi::Function::New(env, Leak));
  return exports;
}

NODE_API_MODULE(leak_check, Init)
