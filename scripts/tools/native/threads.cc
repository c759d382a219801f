// The parts of the addon that many threads use, without Node, under tools that Node does not go with: tsan.mjs,
// valgrind.mjs. Sessions that run, end and are freed on several threads at once; environments, each a thread with a line
// of work, which share the process's gate and end while their work waits.
//
//     threads LIBRARY FIXTURES [--rounds N]
//
// Prints what it did. Ends with status 1 where a count is not what it should be.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "event_loop.h"
#include "executor_choice.h"
#include "graph.h"
#include "library.h"
#include "run_gate.h"
#include "session_core.h"
#include "status.h"
#include "work_line.h"

namespace {

using namespace tf_session;
using Core = std::shared_ptr<SessionCore>;

std::string fixtures;
int rounds = 10;

void Expect(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "This does not hold: %s\n", what);
  std::exit(1);
}

void Join(std::vector<std::thread>* threads) {
  for (std::thread& thread : *threads) thread.join();
  threads->clear();
}

Core Load(const char* name) {
  const SessionOptionsPtr options(tf().TF_NewSessionOptions());
  GraphPtr graph(tf().TF_NewGraph());
  const char* tag = "serve";
  const Status status;
  const std::string folder = fixtures + "/" + name + "/saved_model";
  TF_Session* session = tf().TF_LoadSessionFromSavedModel(options.get(), nullptr, folder.c_str(), &tag, 1,
                                                          graph.get(), nullptr, status);
  status.Check();
  return SessionCore::Make(std::move(graph), session, CallerFitness{});
}

TensorPtr Scalar(int32_t value) {
  TensorPtr tensor(tf().TF_AllocateTensor(TF_INT32, nullptr, 0, sizeof(value)));
  std::memcpy(tf().TF_TensorData(tensor.get()), &value, sizeof(value));
  return tensor;
}

// `endless` counts to n, and for ever where it is negative. True where it came to its end.
bool CountTo(const SessionCore& core, int32_t n, bool want_metadata = false) {
  RunPlan plan;
  plan.feeds.push_back(FindOutput(core.graph(), "serving_default_n"));
  plan.fetches.push_back(FindOutput(core.graph(), "PartitionedCall"));
  std::vector<TensorPtr> inputs;
  inputs.push_back(Scalar(n));
  try {
    const RunOutcome outcome = core.Run(plan, inputs, nullptr, want_metadata);
    int32_t steps = 0;
    std::memcpy(&steps, tf().TF_TensorData(outcome.outputs.at(0).get()), sizeof(steps));
    Expect(steps == n, "a run gives what it was asked for");
    return true;
  } catch (const Error& error) {
    Expect(error.tf_code() == TF_CANCELLED, "a run that is ended ends with CANCELLED");
    return false;
  }
}

// Several threads run one session; who lets go last frees it.
void RunsAtOnce() {
  std::atomic<int> ended{0};
  Core core = Load("endless");
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([core, i, &ended] {
      for (int k = 0; k < 5 * rounds; ++k) ended += CountTo(*core, 3, i == 0 && k % 8 == 0) ? 1 : 0;
    });
  }
  core.reset();
  Join(&threads);
  Expect(ended == 20 * rounds, "each run came to its end");
}

// EndRuns() in the midst of runs, from two threads, before and while and after they begin.
void EndedInMidRun() {
  for (int round = 0; round < rounds; ++round) {
    Core core = Load("endless");
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i) {
      threads.emplace_back([core] { Expect(!CountTo(*core, -1), "an endless run is cancelled"); });
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(round % 3 == 0 ? 0 : 5 * round));
    for (int i = 0; i < 2; ++i) threads.emplace_back([core] { core->EndRuns(); });
    core.reset();
    Join(&threads);
  }
}

// Sessions made, run and freed on their own threads, as EndRuns() and Close() of others come.
void MadeAndFreed() {
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([] {
      for (int round = 0; round < rounds; ++round) {
        Core core = Load("endless");
        std::thread ends([core] { core->EndRuns(); });
        (void)CountTo(*core, 5);
        ends.join();
        if (round % 2 == 0) core->Close();
        SessionCore::CloseElsewhere(std::move(core));
      }
    });
  }
  Join(&threads);
  while (live.sessions != 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

// One JS environment: a thread of its own, a line, tasks that run a session.
class Environment : public WorkLine::Owner {
 public:
  Environment() : line(Napi::Env(loop.env()), this) {}

  class Run : public Task {
   public:
    Run(Environment* environment, Core core, int32_t n)
        : environment_(environment), core_(std::move(core)), n_(n), thread_(std::this_thread::get_id()) {
      ++environment_->open;
    }
    void Perform() override { has_ended_ = CountTo(*core_, n_); }
    void Refuse() override {}
    void Conclude() override {
      Expect(std::this_thread::get_id() == thread_, "a task is concluded on its environment's thread");
      ++(has_ended_ ? environment_->ended : environment_->cancelled);
      Drop();
    }
    void Drop() {
      --environment_->open;
      delete this;
    }

   private:
    Environment* environment_;
    Core core_;
    int32_t n_;
    std::thread::id thread_;
    bool has_ended_ = false;
  };

  [[nodiscard]] bool CanRunJs() const override { return !is_terminated; }
  void Abandon() override {
    // One that is withdrawn may let another of its share into the line.
    for (const Share* which : {static_cast<const Share*>(nullptr), static_cast<const Share*>(&share)}) {
      for (auto tasks = line.Waiting(which); !tasks.empty(); tasks = line.Waiting(which)) {
        for (Task* task : tasks) Withdraw(task);
      }
    }
    for (const Core& core : cores) core->EndRuns();
  }
  void Withdraw(Task* task) {
    if (!line.Withdraw(task)) return;
    ++withdrawn;
    static_cast<Run*>(task)->Drop();
  }
  // As Node does: work that has begun ends first, then comes the cleanup hook.
  void CleanUp() {
    loop.FinishWork();
    Abandon();
    // What its thread holds for longer than the line waits, on a loaded machine, is nobody's from now on.
    open -= static_cast<int>(line.Close().size());
    Expect(open == 0, "each task was concluded or withdrawn");
  }

  driver::EventLoop loop;
  WorkLine line;
  Share share;
  std::vector<Core> cores;
  std::atomic<bool> is_terminated{false};
  int open = 0;
  int ended = 0;
  int cancelled = 0;
  int withdrawn = 0;
};

// Environments share the gate: one with short runs, within a share and past it, some withdrawn, some past the gate or on
// threads of their own, while others are terminated with runs that would not end and more that wait.
void Lines() {
  std::atomic<int> ended{0};
  std::atomic<int> withdrawn{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([i, &ended, &withdrawn] {
      for (int round = 0; round < rounds; ++round) {
        Environment environment;
        WorkLine& line = environment.line;
        environment.cores.push_back(Load("endless"));
        const Core& core = environment.cores.front();
        Share& share = environment.share;
        share.limit = 1 + round % 2;
        const bool is_terminated = i == 2;
        std::vector<Task*> some;
        for (int k = 0; k < 24; ++k) {
          auto* task = new Environment::Run(&environment, core, is_terminated && k % 4 == 0 ? -1 : 3);
          if (k % 8 == 3) {
            line.AddOwn(task, &share);
          } else if (k % 8 == 5 && !is_terminated) {
            line.AddFree(task);
          } else {
            line.Add(task, k % 2 == 0 ? &share : nullptr);
            some.push_back(task);
          }
        }
        if (is_terminated) {
          // Another thread says so, as a Worker's terminate() is called on another.
          std::thread terminates([&environment, round] {
            std::this_thread::sleep_for(std::chrono::milliseconds(3 * (round % 4)));
            environment.is_terminated = true;
            environment.line.Wake();
          });
          environment.loop.Run([&environment] { return environment.is_terminated.load(); });
          terminates.join();
        } else {
          for (Task* task : {some.back(), some[some.size() / 2]}) environment.Withdraw(task);
          environment.loop.Run([&environment] { return environment.open == 0; });
          Expect(environment.cancelled == 0 && environment.loop.references == 0,
                 "an environment whose work has ended is held open by nothing");
        }
        environment.CleanUp();
        ended += environment.ended;
        withdrawn += environment.withdrawn;
      }
    });
  }
  for (int round = 0; round < 10 * rounds; ++round) {
    (void)RunGate::Get().SetLimit(round % 4);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  (void)RunGate::Get().SetLimit(0);
  Join(&threads);
  std::printf("  %d runs, %d withdrawn\n", ended.load(), withdrawn.load());
}

void Choices() {
  ExecutorChoice choice;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&choice] {
      for (int k = 0; k < 2000; ++k) {
        const ExecutorChoice::Turn turn = choice.Next();
        if (turn.is_on_trial) choice.Report(turn.where, std::chrono::microseconds(k % 50));
      }
    });
  }
  Join(&threads);
}

// The process ends: sessions are made, run and freed meanwhile. Last: no session runs any more after it.
void TheEnd() {
  const Core kept = Load("endless");
  std::vector<std::thread> threads;
  threads.emplace_back([kept] { Expect(!CountTo(*kept, -1), "an endless run is cancelled"); });
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([] {
      for (int round = 0; round < rounds; ++round) (void)CountTo(*Load("endless"), 2);
    });
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  threads.emplace_back(SessionCore::EndRunsOfAll);
  Join(&threads);
  Expect(!CountTo(*kept, 2), "no session runs after the end of all");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  fixtures = argv[2];
  if (argc > 4 && std::strcmp(argv[3], "--rounds") == 0) rounds = std::atoi(argv[4]);
  constexpr int kPoolThreads = 4;
  driver::Pool::Get().Start(kPoolThreads);
  std::vector<std::thread> openers;
  for (int i = 0; i < 3; ++i) openers.emplace_back([argv] { OpenLibrary(argv[1], 3); });
  Join(&openers);

  const std::pair<const char*, void (*)()> parts[] = {
      {"runs at once", RunsAtOnce}, {"ended in mid-run", EndedInMidRun}, {"made and freed", MadeAndFreed},
      {"lines of work", Lines},     {"choices of threads", Choices},     {"the end", TheEnd},
  };
  for (const auto& [name, part] : parts) {
    const auto start = std::chrono::steady_clock::now();
    part();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    std::printf("%s: %.1f s\n", name, took.count());
    std::fflush(stdout);
  }
  std::puts("The driver came to its end.");
  std::fflush(stdout);
}
