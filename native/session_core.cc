#include "session_core.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <thread>

#include "status.h"
#include "thrown.h"

namespace tf_session {
namespace {

// Every session of the process, for EndRunsOfAll(). Never destroyed: sessions may be freed while statics are.
std::mutex& RegistryMutex() {
  static auto* mutex = new std::mutex();
  return *mutex;
}
std::vector<SessionCore*>& Registry() {
  static auto* registry = new std::vector<SessionCore*>();
  return *registry;
}

// The process is on its way out: sessions that are made from now on do not run either.
std::atomic<bool> all_ended{false};

// Threads that tell servers of the end of sessions. Never destroyed, as the registry.
struct Tellers {
  std::mutex mutex;
  std::condition_variable changed;
  int count = 0;

  static Tellers& Get() {
    static auto* tellers = new Tellers();
    return *tellers;
  }
  void Add(int change) {
    const std::lock_guard<std::mutex> lock(mutex);
    count += change;
    changed.notify_all();
  }
  void WaitForAll(std::chrono::milliseconds longest) {
    std::unique_lock<std::mutex> lock(mutex);
    changed.wait_for(lock, longest, [this] { return count == 0; });
  }
};

bool HasOneDevice(TF_Session* session) {
  const Status status;
  const DeviceListPtr devices(tf().TF_SessionListDevices(session, status));
  return status.ok() && tf().TF_DeviceListCount(devices.get()) == 1;
}

}  // namespace

SessionCore::SessionCore(GraphPtr graph, TF_Session* session, CallerFitness fitness, Whereabouts where)
    : graph_(std::move(graph)),
      session_(session),
      fitness_(fitness),
      where_(where),
      has_one_device_(where == Whereabouts::kHere && HasOneDevice(session)) {}

std::shared_ptr<SessionCore> SessionCore::Make(GraphPtr graph, TF_Session* session, CallerFitness fitness,
                                               Whereabouts where) {
  const std::shared_ptr<SessionCore> core(new SessionCore(std::move(graph), session, fitness, where));
  // Not before it is shared: EndRunsOfAll() on another thread would read what is just being written.
  const std::lock_guard<std::mutex> lock(RegistryMutex());
  Registry().push_back(core.get());
  return core;
}

SessionCore::~SessionCore() {
  {
    const std::lock_guard<std::mutex> lock(RegistryMutex());
    auto& registry = Registry();
    registry.erase(std::remove(registry.begin(), registry.end(), this), registry.end());
  }
  Close();
}

void SessionCore::CheckCaller() const {
  if (fitness_.is_safe) return;
  throw Error(
      TF_FAILED_PRECONDITION,
      "The ops of this graph cannot run in the calling thread (executor: 'caller'): it calls functions "
      "in loops or by the hundreds, and each call takes a piece of the thread's stack. Leave executor "
      "out, or take 'pool'.");
}

RunOutcome SessionCore::Run(const RunPlan& plan, const std::vector<TensorPtr>& inputs, const Bytes* options,
                            bool want_metadata) const {
  const auto cancelled = [] { return Error(TF_CANCELLED, "The run was cancelled: its session was closed."); };
  if (ended_ || all_ended) throw cancelled();
  if (broken_) {
    throw Error(TF_FAILED_PRECONDITION,
                "An exception ended an earlier run of this session: load the model again.");
  }
  std::vector<TF_Tensor*> values;
  values.reserve(inputs.size());
  for (const TensorPtr& input : inputs) values.push_back(input.get());
  std::vector<TF_Tensor*> fetched(plan.fetches.size(), nullptr);
  TF_Buffer options_view{};
  if (options != nullptr) {
    options_view.data = options->data();
    options_view.length = options->size();
  }
  const BufferPtr metadata(want_metadata ? tf().TF_NewBuffer() : nullptr);
  const Status status;
  try {
    tf().TF_SessionRun(session_, options != nullptr ? &options_view : nullptr, plan.feeds.data(),
                       values.data(), static_cast<int>(values.size()), plan.fetches.data(), fetched.data(),
                       static_cast<int>(fetched.size()), plan.targets.data(),
                       static_cast<int>(plan.targets.size()), metadata.get(), status);
  } catch (...) {
    // It is not written for exceptions: the session keeps pointers into frames that are gone.
    broken_ = true;
    throw ThrownByTensorFlow("run", "Its session is of no more use: load the model again.");
  }
  RunOutcome outcome;
  outcome.outputs.reserve(fetched.size());
  for (TF_Tensor* tensor : fetched) outcome.outputs.emplace_back(tensor);
  if (!status.ok() && (ended_ || all_ended)) throw cancelled();
  status.Check();
  if (metadata) {
    const auto* data = static_cast<const uint8_t*>(metadata->data);
    outcome.metadata.emplace(data, data + metadata->length);
  }
  return outcome;
}

void SessionCore::EndRuns() {
  ended_ = true;
  if (!is_remote()) return CloseSession();
  if (telling_.exchange(true)) return;
  Tellers::Get().Add(1);
  try {
    // Null where it is being freed already, which tells the server, too.
    std::thread([self = weak_from_this().lock()]() mutable {
      if (self) self->CloseSession();
      self.reset();
      Tellers::Get().Add(-1);
    }).detach();
  } catch (const std::exception&) {
    // No thread is to be had. The server hears of it when the session is freed.
    Tellers::Get().Add(-1);
    telling_ = false;
  }
}

void SessionCore::CloseSession() {
  const std::lock_guard<std::mutex> lock(end_mutex_);
  if (session_ == nullptr || broken_) return;
  const Status status;
  // Its complaint that the session is closed already is of no use to anyone.
  tf().TF_CloseSession(session_, status);
}

void SessionCore::Close() {
  ended_ = true;
  CloseSession();
  const std::lock_guard<std::mutex> lock(end_mutex_);
  if (session_ == nullptr) return;
  if (broken_) {
    [[maybe_unused]] const TF_Graph* left = graph_.release();
  } else {
    const Status status;
    tf().TF_DeleteSession(session_, status);
    graph_.reset();
  }
  session_ = nullptr;
}

void SessionCore::CloseElsewhere(std::shared_ptr<SessionCore> core) {
  // Where there is no thread, it is left: better than to wait for a server here.
  auto* const left = new std::shared_ptr<SessionCore>(std::move(core));
  try {
    std::thread([left] {
      (*left)->Close();
      delete left;
    }).detach();
  } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch)
  }
}

void SessionCore::EndRunsOfAll() {
  all_ended = true;
  // Not under the lock: who lets go of one last frees it.
  std::vector<std::shared_ptr<SessionCore>> cores;
  {
    const std::lock_guard<std::mutex> lock(RegistryMutex());
    for (SessionCore* core : Registry()) {
      if (std::shared_ptr<SessionCore> shared = core->weak_from_this().lock())
        cores.push_back(std::move(shared));
    }
  }
  for (const auto& core : cores) core->EndRuns();
  constexpr std::chrono::milliseconds kLongest(1000);
  Tellers::Get().WaitForAll(kLongest);
}

}  // namespace tf_session
