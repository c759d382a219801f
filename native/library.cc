#include "library.h"

#include <dlfcn.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <mutex>

#ifdef TF_SESSION_LINKED
// What the linker finds. A weak function that the library lacks is null, instead of an error.
#define TF_SESSION_REQUIRED(name)
#define TF_SESSION_OPTIONAL(name, since) extern "C" __attribute__((weak)) decltype(::name) name;
TF_SESSION_FUNCTIONS(TF_SESSION_REQUIRED, TF_SESSION_OPTIONAL)
#undef TF_SESSION_REQUIRED
#undef TF_SESSION_OPTIONAL
#define TF_SESSION_FIND(handle, name) (&::name)
#else
#define TF_SESSION_FIND(handle, name) reinterpret_cast<decltype(&::name)>(dlsym(handle, #name))
#endif

namespace tf_session {
namespace {

std::mutex open_mutex;
Functions functions;
LibraryInfo info;
// Published last, so that whoever sees it non-null sees the two above complete.
std::atomic<const LibraryInfo*> opened{nullptr};

Functions FindAll([[maybe_unused]] void* handle, const std::string& path, std::vector<std::string>* missing) {
  Functions found;
  std::vector<std::string> absent;
#define TF_SESSION_REQUIRED(name)             \
  found.name = TF_SESSION_FIND(handle, name); \
  if (found.name == nullptr) absent.emplace_back(#name);
#define TF_SESSION_OPTIONAL(name, since)              \
  found.name.pointer = TF_SESSION_FIND(handle, name); \
  if (!found.name) missing->emplace_back(#name);
  TF_SESSION_FUNCTIONS(TF_SESSION_REQUIRED, TF_SESSION_OPTIONAL)
#undef TF_SESSION_REQUIRED
#undef TF_SESSION_OPTIONAL
  if (!absent.empty()) {
    std::string names;
    for (const std::string& name : absent) names += (names.empty() ? "" : ", ") + name;
    throw Error(kLibraryNotFound, path + " is no usable libtensorflow: it lacks " + names +
                                      ". Is it TensorFlow's C library, of version 1.10 or later?");
  }
  return found;
}

}  // namespace

const Functions& tf() { return functions; }

const LibraryInfo* OpenedLibrary() { return opened.load(std::memory_order_acquire); }

std::string LinkedLibrary() {
#ifdef TF_SESSION_LINKED
  Dl_info found{};
  const auto function = reinterpret_cast<void*>(TF_SESSION_FIND(nullptr, TF_NewSession));
  if (dladdr(function, &found) != 0) return found.dli_fname;
#endif
  return "";
}

void OpenLibrary(const std::string& path, int log_level) {
  const std::lock_guard<std::mutex> lock(open_mutex);
  if (const LibraryInfo* already = OpenedLibrary()) {
    if (already->path == path) return;
    throw Error(TF_FAILED_PRECONDITION, "This process has already opened " + already->path + " (TensorFlow " +
                                            already->version + "); it cannot open " + path +
                                            " as well. A library is chosen once per process.");
  }
  // TensorFlow reads its log level from the C environment, which JavaScript's process.env does not reach from
  // a worker thread.
  if (log_level >= 0) setenv("TF_CPP_MIN_LOG_LEVEL", std::to_string(log_level).c_str(), 1);
  // TensorFlow prints placement lines by printf. Where stdout is a file or pipe they would wait in a buffer
  // and leave it torn at arbitrary places, between what JavaScript writes to the same descriptor.
  setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);
#ifdef TF_SESSION_LINKED
  void* handle = nullptr;
#else
  // RTLD_LOCAL: TensorFlow carries protobuf and abseil, which must not meet another copy in this process.
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    const char* reason = dlerror();
    throw Error(kLibraryNotFound, path + " could not be opened: " + (reason ? reason : "unknown reason"));
  }
#endif
  // Not closed on failure either: constructors have run and may have started threads.
  std::vector<std::string> missing;
  const Functions found = FindAll(handle, path, &missing);
  functions = found;
  info = LibraryInfo{path, found.TF_Version(), std::move(missing)};
  opened.store(&info, std::memory_order_release);
}

}  // namespace tf_session
