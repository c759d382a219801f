// The asynchronous work of one JS environment: by turns (turns.h), on a few of libuv's threads.
//
// A lane is one stay on a libuv thread. It takes work from the line until none is left, so that short runs
// which wait together do not each pay for a change of threads; the JS thread hears of finished ones while the
// lane goes on. Each lane is a place in the process's gate (run_gate.h).
//
// What waits for another machine goes past all that, on a thread of its own: it uses no core here, and may
// wait for as long as that machine pleases, which neither the files and names that libuv's threads serve nor
// the end of this environment should have to.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <unordered_set>
#include <vector>

#include "napi_setup.h"
#include "run_gate.h"
#include "turns.h"

namespace tf_session {

class Task;

// What a line runs. Deleted by its Conclude(), or by who withdrew it; JS thread.
class Task : public Waiter {
 public:
  Task() = default;
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;
  virtual ~Task() = default;

  // A worker thread. Must not throw, nor touch Node-API.
  virtual void Perform() = 0;
  // In place of Perform(), where there is no thread for it; any thread.
  virtual void Refuse() = 0;
  // JS thread, in a scope of its own, once performed or refused. Last call.
  virtual void Conclude() = 0;

 private:
  friend class WorkLine;
  bool has_own_thread_ = false;
};

// What is there before one more task of a session comes.
struct Crowd {
  int waiting;
  int at_work;
  bool has_room;  // it would begin at once
};

// All on the JS thread but Wake() and what a lane does.
class WorkLine final : private RunGate::Environment {
 public:
  // What the environment has to do when it is woken although nothing is done: see OnWake.
  class Owner {
   public:
    // False: it is being terminated, and no JavaScript runs. Then Abandon() is called.
    [[nodiscard]] virtual bool CanRunJs() const = 0;
    virtual void Abandon() = 0;
    virtual ~Owner() = default;
  };

  WorkLine(Napi::Env env, Owner* owner);
  WorkLine(const WorkLine&) = delete;
  WorkLine& operator=(const WorkLine&) = delete;
  ~WorkLine() override;

  // At the end of its session's tasks. `share` may be null.
  void Add(Task* task, Share* share);
  // On a libuv thread of its own, past line and gate: for what must not wait.
  void AddFree(Task* task);
  // On a thread that is no libuv's, past line and gate but not past its share, which may be null. Does not
  // keep the event loop alive: whoever waits for it does.
  void AddOwn(Task* task, Share* share);
  // True where it had not begun: nobody will call it any more.
  bool Withdraw(Task* task);
  // What has not begun, of this share or (null) of all.
  std::vector<Task*> Waiting(const Share* share);
  [[nodiscard]] Crowd CrowdOf(const Share& share);
  // The environment ends: no lane is at work any more, none will be. Waits a moment for threads of tasks'
  // own; returns the tasks that are still on one, which is theirs from now on: they must be left alone for
  // ever.
  std::vector<Task*> Close();

  // Any thread: makes the JS thread look at its line, and whether its environment is being terminated.
  void Wake() override;

 private:
  struct Lane {
    WorkLine* line;
    napi_async_work work = nullptr;
    Task* only = nullptr;  // the one task of a lane past the gate
  };

  // How a thread that may outlive the line finds it.
  struct Mailbox {
    std::mutex mutex;
    WorkLine* line;  // null once it is closed
  };

  static void Execute(napi_env env, void* data);
  static void Complete(napi_env env, napi_status status, void* data);
  static void OnWake(napi_env env, napi_value callback, void* context, void* data);
  void Drain();
  bool MayLinger();  // with mutex_ held
  void Linger();
  void StartLanes();
  void Start(Task* only);
  void Look();  // at what is done, and what may begin
  void Settle();
  void Begun();  // one task more that has to be concluded
  void Ended(const Task* task);
  bool StartOwn(Task* task);      // with mutex_ held; false: it was refused
  bool StartOwnOf(Share* share);  // with mutex_ held: those that may begin; false: one was refused
  void OwnIsDone(Task* task);
  void Changed();  // with mutex_ held: other tasks may begin than before

  Napi::Env env_;
  Owner* owner_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::vector<Lane*> idle_;
  int pending_ = 0;  // tasks of lanes that are not concluded; they keep the event loop alive
  std::shared_ptr<Mailbox> mailbox_;

  std::mutex mutex_;  // guards these, and all shares
  Turns turns_;
  std::vector<Task*> done_;
  std::unordered_set<Task*> own_;  // on threads of their own
  std::condition_variable own_ended_;
  int draining_ = 0;    // lanes that still look at the line
  int performing_ = 0;  // tasks that they have taken

  // One lane at a time waits for more after the last task, wide awake: to wake a thread takes some 40 us, a
  // share of a short run that is felt. After a longer one the core is of more use to TensorFlow's own
  // threads, which wait so, too.
  static constexpr std::chrono::microseconds kShortRun{1000};
  static constexpr int kLongestPause = 256;
  bool lingering_ = false;
  int linger_rest_ = 1;               // ends of lanes until it is tried
  int linger_pause_ = 1;              // and how many it will be next
  std::atomic<bool> is_empty_{true};  // that no task may begin, for who does not hold the mutex

  std::mutex wake_mutex_;  // guards the two below
  napi_threadsafe_function wake_ = nullptr;
  bool woken_ = false;  // and the JS thread has not looked yet
};

}  // namespace tf_session
