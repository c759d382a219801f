#include "settlements.h"

#include <sched.h>

#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "bytes.h"
#include "device_list.h"
#include "js_strings.h"

namespace tf_session {
namespace {

struct Settlement {
  Bytes config;
  std::string who;
  std::vector<std::string> device_types;  // none where the session could not be made
  int cpus;                               // that its thread might run on
};

// Never destroyed: threads may outlive statics.
struct Settled {
  std::mutex making;  // held while a session is made, and the list grows
  std::mutex list_mutex;
  std::vector<Settlement> list;

  static Settled& Get() {
    static auto* settled = new Settled();
    return *settled;
  }
  size_t Size() {
    const std::lock_guard<std::mutex> lock(list_mutex);
    return list.size();
  }
  void Add(Settlement settlement) {
    const std::lock_guard<std::mutex> lock(list_mutex);
    list.push_back(std::move(settlement));
  }
};

// As TensorFlow counts them for its defaults.
int UsableCpus() {
#ifdef __linux__
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) == 0) return CPU_COUNT(&set);
#endif
  return static_cast<int>(std::thread::hardware_concurrency());
}

class SettleWorker : public PromiseWorker {
 public:
  SettleWorker(size_t known, std::optional<Bytes> config, std::string who)
      : known_(known), config_(std::move(config)), who_(std::move(who)) {}

 private:
  void Work() override {
    Settled& settled = Settled::Get();
    const std::lock_guard<std::mutex> lock(settled.making);
    if (settled.Size() != known_) return;
    Settlement settlement{config_.value_or(Bytes()), std::move(who_), {}, UsableCpus()};
    try {
      for (DeviceInfo& device : DevicesWith(config_, "")) {
        settlement.device_types.push_back(std::move(device.type));
      }
    } catch (const Error& error) {
      // CPUs are made before other devices can fail. Without one, and without a kind of session, nothing was
      // made.
      if (error.tf_code() != TF_NOT_FOUND) settled.Add(std::move(settlement));
      throw;
    }
    settled.Add(std::move(settlement));
    is_added_ = true;
  }
  Napi::Value Result(Napi::Env env) override { return Napi::Boolean::New(env, is_added_); }

  size_t known_;
  std::optional<Bytes> config_;
  std::string who_;
  bool is_added_ = false;
};

}  // namespace

Napi::Value Settle(const Napi::CallbackInfo& info) {
  return PromiseWorker::Start(info.Env(),
                              std::make_unique<SettleWorker>(info[0].As<Napi::Number>().Uint32Value(),
                                                             BytesFromJs(info[1]), TextFromJs(info[2])),
                              PromiseWorker::Gate::kFree);
}

Napi::Value Settlements(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Settled& settled = Settled::Get();
  const std::lock_guard<std::mutex> lock(settled.list_mutex);
  const Napi::Array array = Napi::Array::New(env, settled.list.size());
  for (uint32_t i = 0; i < settled.list.size(); ++i) {
    const Settlement& settlement = settled.list[i];
    const Napi::Array types = Napi::Array::New(env, settlement.device_types.size());
    for (uint32_t k = 0; k < settlement.device_types.size(); ++k) types.Set(k, settlement.device_types[k]);
    const Napi::Object entry = Napi::Object::New(env);
    entry.Set("config", BytesToJs(env, settlement.config.data(), settlement.config.size()));
    entry.Set("who", settlement.who);
    entry.Set("deviceTypes", types);
    entry.Set("cpus", settlement.cpus);
    array.Set(i, entry);
  }
  return array;
}

}  // namespace tf_session
