#include "op_library.h"

#include <dlfcn.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "js_strings.h"
#include "promise_worker.h"
#include "status.h"

namespace tf_session {
namespace {

enum class Kind { kOps, kDevices };

struct Loaded {
  Kind kind;
  std::string path;
  uint64_t content;
  bool has_ops;
};

// What this process has loaded. Never destroyed: a worker may load while statics are.
std::mutex& LoadMutex() {
  static auto* mutex = new std::mutex();
  return *mutex;
}
std::vector<Loaded>& AllLoaded() {
  static auto* loaded = new std::vector<Loaded>();
  return *loaded;
}

// A number for what is in the file: two copies have one.
uint64_t ContentOf(const std::string& path) {
  constexpr size_t kPiece = size_t{1} << 20;
  constexpr uint64_t kPrime = 1099511628211U;
  std::ifstream file(path, std::ios::binary);
  std::string piece(kPiece, '\0');
  uint64_t content = 0;
  while (file) {
    file.read(piece.data(), kPiece);
    const auto length = static_cast<size_t>(file.gcount());
    content = content * kPrime ^ std::hash<std::string_view>()({piece.data(), length}) ^ length;
  }
  return content;
}

// The loader finds a needed library by its name among those that are there. One of TensorFlow's that is not
// would be fetched from beside the file: a second TensorFlow, in whose registry the ops would be for nobody.
void CheckNeeded(const std::string& path, const std::vector<std::string>& needed) {
  for (const std::string& name : needed) {
    if (name.rfind("libtensorflow_framework", 0) != 0 && name.rfind("libtensorflow_cc.", 0) != 0) continue;
    void* handle = dlopen(name.c_str(), RTLD_LAZY | RTLD_LOCAL | RTLD_NOLOAD);
    if (handle != nullptr) {
      dlclose(handle);
      continue;
    }
    std::string text = path;
    text += " needs ";
    text += name;
    text += ", which is not loaded.";
    throw Error(TF_FAILED_PRECONDITION, std::move(text));
  }
}

bool HasOneOf(void* handle, const std::vector<const char*>& symbols) {
  return std::any_of(symbols.begin(), symbols.end(),
                     [&](const char* symbol) { return dlsym(handle, symbol) != nullptr; });
}

// TensorFlow loads it as an op library, too, and the devices would be missed later.
void CheckIsNoPlugin(const std::string& path) {
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD);
  if (handle == nullptr || !HasOneOf(handle, {"SE_InitPlugin", "TFNPD_InitPlugin"})) return;
  throw Error(TF_INVALID_ARGUMENT,
              path + " is a plug-in with devices, no op library: name it in `pluggableDevices`.");
}

// TensorFlow takes any library for a plug-in, and says nothing of one that has none of these.
void CheckIsPlugin(const std::string& path) {
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    const char* reason = dlerror();
    throw Error(TF_NOT_FOUND, reason ? reason : "unknown reason");
  }
  // Not closed: what has registered itself must stay.
  if (HasOneOf(handle,
               {"SE_InitPlugin", "TFNPD_InitPlugin", "TF_InitKernel", "TF_InitGraph", "TF_InitProfiler"})) {
    return;
  }
  throw Error(TF_INVALID_ARGUMENT, path +
                                       " is no plug-in for TensorFlow: it has neither SE_InitPlugin nor "
                                       "another of the functions that such a library exports.");
}

// A libuv thread. The handles that TensorFlow gives are kept for ever, as is the code.
bool Load(Kind kind, const std::string& path, const std::vector<std::string>& needed) {
  const std::lock_guard<std::mutex> lock(LoadMutex());
  const auto find = [](const auto& is_it) -> const Loaded* {
    const std::vector<Loaded>& all = AllLoaded();
    const auto found = std::find_if(all.begin(), all.end(), is_it);
    return found == all.end() ? nullptr : &*found;
  };
  if (const Loaded* same = find([&](const Loaded& l) { return l.kind == kind && l.path == path; })) {
    return same->has_ops;
  }
  // A copy would register every kernel a second time, and TensorFlow could choose neither.
  const uint64_t content = ContentOf(path);
  if (const Loaded* same = find([&](const Loaded& l) { return l.kind == kind && l.content == content; })) {
    return same->has_ops;
  }
  // A plug-in that brings ops as well has registered them when it was opened.
  if (kind == Kind::kOps && find([&](const Loaded& l) { return l.content == content; }) != nullptr) {
    return true;
  }
  const auto& load_devices = tf().TF_LoadPluggableDeviceLibrary;
  if (kind == Kind::kDevices) load_devices.Require();
  CheckNeeded(path, needed);
  const Status status;
  bool has_ops = false;
  if (kind == Kind::kOps) {
    TF_Library* library = tf().TF_LoadLibrary(path.c_str(), status);
    status.Check();
    has_ops = tf().TF_GetOpList(library).length > 0;
    if (!has_ops) CheckIsNoPlugin(path);
  } else {
    CheckIsPlugin(path);
    load_devices(path.c_str(), status);
    status.Check();
  }
  AllLoaded().push_back({kind, path, content, has_ops});
  return has_ops;
}

class LoadWorker : public PromiseWorker {
 public:
  LoadWorker(Kind kind, std::string path, std::vector<std::string> needed)
      : kind_(kind), path_(std::move(path)), needed_(std::move(needed)) {}

 private:
  void Work() override { has_ops_ = Load(kind_, path_, needed_); }
  Napi::Value Result(Napi::Env env) override { return Napi::Boolean::New(env, has_ops_); }

  Kind kind_;
  std::string path_;
  std::vector<std::string> needed_;
  bool has_ops_ = false;
};

Napi::Value Start(const Napi::CallbackInfo& info, Kind kind) {
  return PromiseWorker::Start(
      info.Env(),
      std::make_unique<LoadWorker>(kind, info[0].As<Napi::String>().Utf8Value(), StringsFromJs(info[1])),
      PromiseWorker::Gate::kFree);
}

}  // namespace

Napi::Value LoadOpLibrary(const Napi::CallbackInfo& info) { return Start(info, Kind::kOps); }

Napi::Value LoadPluggableDevice(const Napi::CallbackInfo& info) { return Start(info, Kind::kDevices); }

}  // namespace tf_session
