// TF_Graph and TF_Session as one thing that runs and ends. Knows nothing of Node-API; any thread.
//
// Shared by the JS wrap and by each worker that runs it, so neither the collector nor close() can take it
// away from under a run. Whoever lets go last frees it: Close() first, on a worker thread, wherever possible.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "counts.h"
#include "graph_fitness.h"
#include "handles.h"

namespace tf_session {

using Bytes = std::vector<uint8_t>;

// What a run needs, by TensorFlow's own names.
struct RunPlan {
  std::vector<TF_Output> feeds;
  std::vector<TF_Output> fetches;
  std::vector<const TF_Operation*> targets;
};

struct RunOutcome {
  std::vector<TensorPtr> outputs;  // one per fetch
  std::optional<Bytes> metadata;   // a serialized RunMetadata, where it was asked for
};

// Where a session lives.
enum class Whereabouts : uint8_t {
  kHere,
  kElsewhere,  // on a server: each call of TensorFlow's is a request over the network, which may take its
               // time
};

class SessionCore : public std::enable_shared_from_this<SessionCore> {
 public:
  // `fitness`: of its graph.
  static std::shared_ptr<SessionCore> Make(GraphPtr graph, TF_Session* session, CallerFitness fitness,
                                           Whereabouts where = Whereabouts::kHere);
  SessionCore(const SessionCore&) = delete;
  SessionCore& operator=(const SessionCore&) = delete;
  ~SessionCore();

  [[nodiscard]] TF_Graph* graph() const { return graph_.get(); }
  [[nodiscard]] TF_Session* session() const { return session_; }
  [[nodiscard]] bool is_remote() const { return where_ == Whereabouts::kElsewhere; }

  // Whether this library may choose the calling thread for the session's ops by itself. Not where there are
  // several devices: each crossing between them would be one call deeper.
  [[nodiscard]] bool may_try_caller() const { return fitness_.is_simple && has_one_device_; }
  // The graph holds the weights of a model as constants. Before its first run.
  void SetHasWeights() { has_weights_ = true; }
  [[nodiscard]] bool has_weights() const { return has_weights_; }
  // Throws FAILED_PRECONDITION where the calling thread must not be chosen by anyone.
  void CheckCaller() const;

  // Blocks until the run has ended. Throws what TensorFlow says, and CANCELLED once EndRuns() was called.
  // After an exception of TensorFlow's own it refuses every further run.
  [[nodiscard]] RunOutcome Run(const RunPlan& plan, const std::vector<TensorPtr>& inputs,
                               const Bytes* options, bool want_metadata) const;

  // Makes running graphs end with CANCELLED at their next op, and every later run at once. Does not wait: a
  // server is told so on a thread of its own.
  void EndRuns();

  // Frees session and graph. Only when no run is in flight. Slow: for worker threads.
  void Close();

  // Close() of a session on a server, which may take its time, on a thread of its own.
  static void CloseElsewhere(std::shared_ptr<SessionCore> core);

  // EndRuns() for every session of the process; waits a moment for servers to hear of it, who would keep the
  // sessions otherwise.
  static void EndRunsOfAll();

 private:
  SessionCore(GraphPtr graph, TF_Session* session, CallerFitness fitness, Whereabouts where);
  void CloseSession();

  GraphPtr graph_;
  TF_Session* session_;
  CallerFitness fitness_;
  Whereabouts where_;
  bool has_one_device_;
  bool has_weights_ = false;
  std::mutex end_mutex_;  // EndRuns() against Close()
  std::atomic<bool> ended_{false};
  std::atomic<bool> telling_{false};  // the server
  // An exception came out of TensorFlow in a run: what is left of the session is never touched again.
  mutable std::atomic<bool> broken_{false};
  Counted counted_{live.sessions};
};

}  // namespace tf_session
