#include "print_listener.h"

#include <cstdio>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>

#include "library.h"
#include "status.h"

namespace tf_session {
namespace {

using Text = std::unique_ptr<std::string>;

void GiveText(Napi::Env env, Napi::Function listener, std::nullptr_t* /*context*/, std::string* text) {
  const Text owned(text);
  // Without an environment the queue is being emptied.
  if (static_cast<napi_env>(env) == nullptr) return;
  listener.Call({Napi::String::New(env, *owned)});
}

using Listener = Napi::TypedThreadSafeFunction<std::nullptr_t, std::string, GiveText>;

class Listeners {
 public:
  // Never destroyed: TensorFlow's threads outlive what the process destroys at its end.
  static Listeners& Get() {
    static auto* listeners = new Listeners();
    return *listeners;
  }

  void Add(napi_env env, Listener listener) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!listeners_.emplace(env, listener).second) {
      listener.Release();
      return;
    }
    if (std::exchange(is_registered_, true)) return;
    tf().TF_RegisterLogListener([](const char* text) { Get().Print(text); });
  }

  void Remove(napi_env env) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = listeners_.find(env);
    if (found == listeners_.end()) return;
    found->second.Release();
    listeners_.erase(found);
  }

 private:
  void Print(const char* text) {
    const std::lock_guard<std::mutex> lock(mutex_);
    bool is_heard = false;
    for (auto entry = listeners_.begin(); entry != listeners_.end();) {
      // The call frees it, where there is one.
      std::string* const given = std::make_unique<std::string>(text).release();
      const napi_status status = entry->second.NonBlockingCall(given);
      if (status != napi_ok) const Text taken_back(given);
      is_heard = is_heard || status == napi_ok;
      // An environment that ends must not be spoken to again.
      entry = status == napi_closing ? listeners_.erase(entry) : std::next(entry);
    }
    if (!is_heard) (void)std::fputs(text, stderr);
  }

  std::mutex mutex_;
  bool is_registered_ = false;
  std::unordered_map<napi_env, Listener> listeners_;
};

}  // namespace

void ListenToPrints(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  try {
    tf().TF_RegisterLogListener.Require();
  } catch (const Error& error) {
    ThrowJs(env, error);
  }
  const Listener listener = Listener::New(env, info[0].As<Napi::Function>(), "tf-session prints", 0, 1);
  listener.Unref(env);
  Listeners::Get().Add(env, listener);
}

void StopListening(napi_env env) { Listeners::Get().Remove(env); }

}  // namespace tf_session
