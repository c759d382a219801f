#include "work_line.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <thread>
#include <utility>

namespace tf_session {

WorkLine::WorkLine(Napi::Env env, Owner* owner)
    : env_(env), owner_(owner), mailbox_(std::make_shared<Mailbox>()) {
  mailbox_->line = this;
  napi_value name = nullptr;
  if (napi_create_string_utf8(env, "tf-session", NAPI_AUTO_LENGTH, &name) != napi_ok ||
      napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, nullptr, nullptr, this, OnWake,
                                      &wake_) != napi_ok ||
      napi_unref_threadsafe_function(env, wake_) != napi_ok) {
    throw Napi::Error::New(env);
  }
}

WorkLine::~WorkLine() = default;

void WorkLine::Begun() {
  // The event loop stays alive as long as anything waits, also for a place in the gate, of which it knows
  // nothing.
  if (pending_++ == 0) (void)napi_ref_threadsafe_function(env_, wake_);
}

void WorkLine::Ended(const Task* task) {
  if (task->has_own_thread_) return;
  if (--pending_ == 0 && wake_ != nullptr) (void)napi_unref_threadsafe_function(env_, wake_);
}

void WorkLine::Add(Task* task, Share* share) {
  Begun();
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    turns_.Add(task, share);
    Changed();
  }
  StartLanes();
}

void WorkLine::Changed() { is_empty_.store(turns_.ready() == 0, std::memory_order_release); }

void WorkLine::AddFree(Task* task) {
  Begun();
  Start(task);
}

void WorkLine::AddOwn(Task* task, Share* share) {
  task->has_own_thread_ = true;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (share == nullptr) {
      if (StartOwn(task)) return;
    } else {
      turns_.Add(task, share);
      if (StartOwnOf(share)) return;
    }
  }
  Wake();
}

bool WorkLine::StartOwnOf(Share* share) {
  bool none_refused = true;
  while (Waiter* next = turns_.TakeOf(share)) {
    if (StartOwn(static_cast<Task*>(next))) continue;
    none_refused = false;
    turns_.Ended(share);
  }
  return none_refused;
}

bool WorkLine::StartOwn(Task* task) {
  try {
    own_.insert(task);
    std::thread([mailbox = mailbox_, task] {
      task->Perform();
      const std::lock_guard<std::mutex> lock(mailbox->mutex);
      if (mailbox->line != nullptr) mailbox->line->OwnIsDone(task);
    }).detach();
    return true;
  } catch (const std::exception&) {
    // In the line of the others it would take their few threads, for as long as it pleases.
    own_.erase(task);
    task->Refuse();
    done_.push_back(task);
    return false;
  }
}

void WorkLine::OwnIsDone(Task* task) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    own_.erase(task);
    done_.push_back(task);
    if (Share* const share = task->share(); share != nullptr) {
      turns_.Ended(share);
      (void)StartOwnOf(share);
    }
    own_ended_.notify_all();
  }
  Wake();
}

bool WorkLine::Withdraw(Task* task) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!turns_.Withdraw(task)) return false;
    Changed();
    if (turns_.ready() == 0) RunGate::Get().StopWaiting(this);
  }
  Ended(task);
  return true;
}

std::vector<Task*> WorkLine::Waiting(const Share* share) {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::vector<Task*> tasks;
  for (Waiter* task : turns_.Waiting(share)) tasks.push_back(static_cast<Task*>(task));
  return tasks;
}

Crowd WorkLine::CrowdOf(const Share& share) {
  const std::lock_guard<std::mutex> lock(mutex_);
  // Lanes that have not taken anything yet will do so before anything else happens.
  const int idle = draining_ - performing_;
  const int taken = turns_.TurnsOf(share, idle);
  const bool has_lane = share.is_elsewhere || turns_.ready() < idle || RunGate::Get().HasPlace();
  return {share.waiting() - taken, share.at_work() + taken, has_lane && share.MayTake(taken + 1)};
}

void WorkLine::StartLanes() {
  for (;;) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (turns_.ready() == 0 || draining_ >= turns_.ready() + performing_) return;
      if (!RunGate::Get().EnterOrWait(this)) return;
      ++draining_;
    }
    Start(nullptr);
  }
}

void WorkLine::Start(Task* only) {
  if (idle_.empty()) {
    auto lane = std::make_unique<Lane>();
    lane->line = this;
    napi_value name = nullptr;
    (void)napi_create_string_utf8(env_, "tf-session", NAPI_AUTO_LENGTH, &name);
    (void)napi_create_async_work(env_, nullptr, name, Execute, Complete, lane.get(), &lane->work);
    idle_.push_back(lane.get());
    lanes_.push_back(std::move(lane));
  }
  Lane* lane = idle_.back();
  idle_.pop_back();
  lane->only = only;
  // Fails only for invalid arguments, which these are not.
  (void)napi_queue_async_work(env_, lane->work);
}

void WorkLine::Execute(napi_env /*env*/, void* data) {
  auto* lane = static_cast<Lane*>(data);
  if (lane->only == nullptr) return lane->line->Drain();
  lane->only->Perform();
  const std::lock_guard<std::mutex> lock(lane->line->mutex_);
  lane->line->done_.push_back(lane->only);
}

void WorkLine::Drain() {
  RunGate& gate = RunGate::Get();
  std::unique_lock<std::mutex> lock(mutex_);
  while (Waiter* next = turns_.Take()) {
    auto* task = static_cast<Task*>(next);
    Changed();
    ++performing_;
    lock.unlock();
    const auto start = std::chrono::steady_clock::now();
    task->Perform();
    const bool was_short = std::chrono::steady_clock::now() - start < kShortRun;
    lock.lock();
    --performing_;
    done_.push_back(task);
    turns_.Ended(task->share());
    Changed();
    // The end of this lane tells the JS thread of the last one; of the others somebody has to.
    if (!gate.MayStay(this)) break;
    const bool lingers = turns_.ready() == 0;
    if (lingers && !(was_short && MayLinger())) break;
    lock.unlock();
    Wake();
    if (lingers) Linger();
    lock.lock();
  }
  --draining_;
  if (turns_.ready() == 0) gate.StopWaiting(this);
  lock.unlock();
  gate.Leave();
}

bool WorkLine::MayLinger() {
  if (lingering_ || --linger_rest_ > 0) return false;
  lingering_ = true;
  return true;
}

void WorkLine::Linger() {
  constexpr std::chrono::microseconds kLongest(50);
  constexpr int kSpins = 64;
  const auto end = std::chrono::steady_clock::now() + kLongest;
  bool came = false;
  while (!came && std::chrono::steady_clock::now() < end) {
    for (int i = 0; i < kSpins && !came; ++i) came = !is_empty_.load(std::memory_order_acquire);
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  lingering_ = false;
  // Where nothing came, it is tried again later, and ever more seldom.
  linger_pause_ = came ? 1 : std::min(kLongestPause, 2 * linger_pause_);
  linger_rest_ = linger_pause_;
}

void WorkLine::Complete(napi_env /*env*/, napi_status /*status*/, void* data) {
  auto* lane = static_cast<Lane*>(data);
  WorkLine* line = lane->line;
  line->idle_.push_back(lane);
  line->Look();
}

void WorkLine::Look() {
  const bool can_run = owner_->CanRunJs();
  Settle();
  if (!can_run) return owner_->Abandon();
  // What came to the line after a lane had looked, or was left to others' turn.
  StartLanes();
}

void WorkLine::Settle() {
  std::vector<Task*> done;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    done.swap(done_);
  }
  for (Task* task : done) {
    const Napi::HandleScope scope(env_);
    Ended(task);
    task->Conclude();
  }
}

void WorkLine::Wake() {
  const std::lock_guard<std::mutex> lock(wake_mutex_);
  if (woken_ || wake_ == nullptr) return;
  woken_ = napi_call_threadsafe_function(wake_, nullptr, napi_tsfn_nonblocking) == napi_ok;
}

void WorkLine::OnWake(napi_env env, napi_value /*callback*/, void* context, void* /*data*/) {
  if (env == nullptr) return;
  auto* self = static_cast<WorkLine*>(context);
  {
    const std::lock_guard<std::mutex> lock(self->wake_mutex_);
    self->woken_ = false;
  }
  self->Look();
}

std::vector<Task*> WorkLine::Close() {
  constexpr std::chrono::seconds kLongest(2);
  {
    std::unique_lock<std::mutex> lock(mutex_);
    own_ended_.wait_for(lock, kLongest, [this] { return own_.empty(); });
  }
  {
    const std::lock_guard<std::mutex> lock(mailbox_->mutex);
    mailbox_->line = nullptr;
  }
  Settle();
  {
    // Released by nobody else: Node frees it with the environment.
    const std::lock_guard<std::mutex> lock(wake_mutex_);
    wake_ = nullptr;
  }
  RunGate::Get().StopWaiting(this);
  for (Lane* lane : idle_) (void)napi_delete_async_work(env_, lane->work);
  idle_.clear();
  return {own_.begin(), own_.end()};
}

}  // namespace tf_session
