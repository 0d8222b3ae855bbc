// Ranks over MPI. Only the thread that joined calls MPI (MPI_THREAD_FUNNELED). It waits by polling
// with pauses, since Open MPI's own waiting keeps a core busy.
#include <mpi.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <mutex>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "format/file_bytes.h"
#include "tools/exit_codes.h"
#include "tools/ranks/batches.h"
#include "tools/ranks/ranks.h"
#include "tools/ranks/run_files.h"
#include "tools/ranks/wire.h"

namespace cssrun::tools {
namespace {

enum Tag : int { kJob, kBatch, kOutcomes, kFailure, kLeave };

struct Message {
  int source = 0;
  int tag = kLeave;
  Bytes bytes;
};

// When a rank has died, mpirun sends SIGTERM to all others and kills them a second later, or as
// soon as another one has ended. So all ranks stay for that second, in which rank 0 reports what is
// done. The flag is global because a signal handler sets it.
std::atomic<bool> told_to_end = false;
static_assert(std::atomic<bool>::is_always_lock_free);

Status RankLost() {
  return Status::Io(
      "the run was ended: a rank died or could not be reached, or mpirun was stopped");
}

void Pause() { std::this_thread::sleep_for(std::chrono::microseconds(200)); }

// Returns false when the request fails, and when this process was told to end, since the other rank
// may be dead. If the other rank lives, it gets time to take the bytes, because they are freed
// afterwards.
bool Complete(MPI_Request& request) {
  constexpr int kPausesAfterTheEnd = 100;
  int pauses = 0;
  for (int done = 0;; Pause()) {
    if (MPI_Test(&request, &done, MPI_STATUS_IGNORE) != MPI_SUCCESS) return false;
    if (done != 0) return true;
    if (told_to_end && ++pauses > kPausesAfterTheEnd) return false;
  }
}

// NOLINTBEGIN(clang-analyzer-optin.mpi.MPI-Checker): Complete tests instead of waiting.
bool Send(int rank, Tag tag, const Bytes& bytes) {
  MPI_Request request = MPI_REQUEST_NULL;
  return MPI_Isend(bytes.data(), static_cast<int>(bytes.size()), MPI_BYTE, rank, tag,
                   MPI_COMM_WORLD, &request) == MPI_SUCCESS &&
         Complete(request);
}

enum class Received { kNothing, kMessage, kError };

Received TryReceive(Message& message) {
  int waiting = 0;
  MPI_Status status;
  if (MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &waiting, &status) != MPI_SUCCESS) {
    return Received::kError;
  }
  if (waiting == 0) return Received::kNothing;
  int size = 0;
  MPI_Get_count(&status, MPI_BYTE, &size);
  message.source = status.MPI_SOURCE;
  message.tag = status.MPI_TAG;
  message.bytes.resize(static_cast<size_t>(size));
  MPI_Request request = MPI_REQUEST_NULL;
  const bool received = MPI_Irecv(message.bytes.data(), size, MPI_BYTE, message.source, message.tag,
                                  MPI_COMM_WORLD, &request) == MPI_SUCCESS &&
                        Complete(request);
  return received ? Received::kMessage : Received::kError;
}
// NOLINTEND(clang-analyzer-optin.mpi.MPI-Checker)

// Runs batches one after another. Running out of memory becomes an error.
Result<OutcomeBatch> RunBatch(const RankJob& job, const std::shared_ptr<const Network>& network,
                              const PathBatch& paths) {
  try {
    OutcomeBatch done{paths.batch, {}};
    done.outcomes.reserve(paths.batch.count);
    const Status ran = RunFiles(
        network, FormatOf(*network, job.upright), job.options, job.limits.image, job.threads,
        paths.batch.count, [&](size_t index) -> const std::string& { return paths.paths[index]; },
        [&](size_t, const FileOutcome& outcome) {
          done.outcomes.push_back(outcome);
          return true;
        });
    if (!ran.ok()) return ran;
    return done;
  } catch (const std::bad_alloc&) {
    return Status::OutOfMemory();
  }
}

// Runs rank 0's own share of the work, in a thread of its own.
class LocalWorker {
 public:
  LocalWorker(RankJob job, std::shared_ptr<const Network> network)
      : job_(std::move(job)), network_(std::move(network)) {
    job_.options.cancel = &cancelled_;
    thread_ = std::thread([this] { Work(); });
  }
  ~LocalWorker() {
    cancelled_ = true;
    {
      const std::lock_guard lock(mutex_);
      ending_ = true;
    }
    changed_.notify_one();
    thread_.join();
  }
  LocalWorker(const LocalWorker&) = delete;
  LocalWorker& operator=(const LocalWorker&) = delete;

  void Give(PathBatch paths) {
    {
      const std::lock_guard lock(mutex_);
      given_ = std::move(paths);
    }
    changed_.notify_one();
  }
  std::optional<Result<OutcomeBatch>> TryTake() {
    const std::lock_guard lock(mutex_);
    return std::exchange(done_, std::nullopt);
  }

 private:
  void Work() {
    for (;;) {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return ending_ || given_.has_value(); });
      if (ending_) return;
      const PathBatch paths = *std::exchange(given_, std::nullopt);
      lock.unlock();
      Result<OutcomeBatch> done = RunBatch(job_, network_, paths);
      lock.lock();
      done_ = std::move(done);
    }
  }

  RankJob job_;
  std::shared_ptr<const Network> network_;
  std::atomic<bool> cancelled_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool ending_ = false;  // these three are guarded by mutex_
  std::optional<PathBatch> given_;
  std::optional<Result<OutcomeBatch>> done_;
  std::thread thread_;
};

// Leads the work on rank 0: gives batches to idle ranks and delivers what comes back.
class Leader {
 public:
  Leader(const FileRun& run, const RankJob& job, int ranks, const DeliverFile& deliver)
      : run_(run),
        deliver_(deliver),
        batches_(run.count, static_cast<size_t>(ranks), LargestBatch(*run.network, job.options)),
        local_(job, run.network) {
    // Rank 0 gets its batch last, because it has more to do than the others.
    for (int rank = 0; rank < ranks; ++rank) idle_.push_back(rank);
  }

  // Returns whether every image was delivered; false when `deliver` stopped the run.
  Result<bool> Run() {
    while (!batches_.all_delivered()) {
      if (told_to_end) return RankLost();
      if (!GiveToIdle()) return RankLost();
      Result<std::optional<OutcomeBatch>> came = TakeAny();
      if (!came.ok()) return came.status();
      if (!came.value().has_value()) {
        Pause();
        continue;
      }
      OutcomeBatch& done = *came.value();
      if (!batches_.Take(done.batch, std::move(done.outcomes), deliver_)) return false;
    }
    return true;
  }

 private:
  // Limits a batch so that its answers stay below 64 MiB: MPI counts bytes in an int, and some
  // answers wait for earlier ones.
  static size_t LargestBatch(const Network& network, const SessionOptions& options) {
    const size_t readings = options.keep_readings ? network.timesteps() : 0;
    const size_t bytes = (network.logits() * sizeof(float) + 64) * (1 + readings) +
                         network.layers().size() * sizeof(LayerStatistics);
    return std::clamp<size_t>((size_t{64} << 20) / bytes, 1, 256);
  }

  bool GiveToIdle() {
    while (!idle_.empty()) {
      const std::optional<Batch> batch = batches_.Next();
      if (!batch.has_value()) return true;
      PathBatch paths{*batch, {}};
      for (size_t i = 0; i < batch->count; ++i) paths.paths.push_back(run_.path(batch->first + i));
      const int rank = idle_.back();
      idle_.pop_back();
      if (rank == 0) {
        local_.Give(std::move(paths));
      } else if (!Send(rank, kBatch, Packed(paths))) {
        return false;
      }
    }
    return true;
  }

  Result<std::optional<OutcomeBatch>> TakeAny() {
    if (std::optional<Result<OutcomeBatch>> own = local_.TryTake(); own.has_value()) {
      idle_.push_back(0);
      if (!own->ok()) return own->status();
      return std::optional(std::move(*own).value());
    }
    Message message;
    const Received received = TryReceive(message);
    if (received == Received::kNothing) return std::optional<OutcomeBatch>();
    if (received == Received::kError) return RankLost();
    const std::string rank = "rank " + std::to_string(message.source);
    if (message.tag == kFailure) {
      return Status::Io(rank + ": " + std::string(message.bytes.begin(), message.bytes.end()));
    }
    std::optional<OutcomeBatch> outcomes = UnpackOutcomes(message.bytes);
    if (!outcomes.has_value()) return Status::Io(rank + " is not the same program");
    idle_.push_back(message.source);
    return outcomes;
  }

  const FileRun& run_;
  const DeliverFile& deliver_;
  Batches batches_;
  LocalWorker local_;
  std::vector<int> idle_;
};

// Sends the job and the network itself to all ranks. They need not have access to the network's
// file, and cannot read an older one.
Status SendJob(const FileRun& run, int ranks, RankJob& job) {
  constexpr size_t kLimit = (size_t{1} << 31) - 1;  // MPI counts in int, FlatBuffers as well
  Result<format::FileBytes> network = format::ReadFileBytes(run.network_file, kLimit);
  if (!network.ok()) return network.status();
  job.network_bytes = network.value().bytes().size();
  const Bytes packed = Packed(job);
  for (int rank = 1; rank < ranks; ++rank) {
    if (!Send(rank, kJob, packed)) return RankLost();
  }
  const int sent = MPI_Bcast(network.value().bytes().data(), static_cast<int>(job.network_bytes),
                             MPI_BYTE, 0, MPI_COMM_WORLD);
  return sent == MPI_SUCCESS ? Status::Ok() : RankLost();
}

// Receives what SendJob sends.
Result<std::shared_ptr<const Network>> ReceiveNetwork(const RankJob& job) {
  format::FileBytes network(job.network_bytes);
  if (network.empty()) return Status::OutOfMemory();
  if (MPI_Bcast(network.bytes().data(), static_cast<int>(job.network_bytes), MPI_BYTE, 0,
                MPI_COMM_WORLD) != MPI_SUCCESS) {
    return RankLost();
  }
  LoadOptions load = job.engine;
  load.limits = job.limits.network;
  return Network::FromBytes(network.bytes(), "the network", load);
}

// Returns whether this process belongs to a group. MPI takes a while to start, so a single process
// does without it.
bool HasOthers() {
  const char* ranks = std::getenv("OMPI_COMM_WORLD_SIZE");
  if (ranks == nullptr) ranks = std::getenv("PMI_SIZE");
  return ranks != nullptr ? std::string_view(ranks) != "1" : std::getenv("PMIX_RANK") != nullptr;
}

}  // namespace

Result<Ranks> Ranks::Join() {
  if (!HasOthers()) return Ranks(0, 1);
  int provided = 0;
  MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided);
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  Ranks ranks(0, 1);
  MPI_Comm_rank(MPI_COMM_WORLD, &ranks.rank_);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks.size_);
  std::signal(SIGTERM, [](int) { told_to_end = true; });
  return ranks;
}

Status Ranks::Run(const FileRun& run, const DeliverFile& deliver) {
  if (size_ == 1) {
    return RunFiles(run.network, FormatOf(*run.network, run.upright), run.options, run.limits.image,
                    run.threads, run.count, run.path, deliver);
  }
  running_ = true;
  RankJob job{run.engine, run.limits, run.upright, run.options, run.threads, 0};
  if (Status status = SendJob(run, size_, job); !status.ok()) return status;
  const Result<bool> done = Leader(run, job, size_, deliver).Run();
  if (!done.ok()) return done.status();
  running_ = !done.value();
  return Status::Ok();
}

int Ranks::Serve() {
  std::optional<RankJob> job;
  std::shared_ptr<const Network> network;
  // After a failure, this rank stays until rank 0, which prints the messages, has said why and ends
  // the run.
  bool failed = false;
  const auto fail = [&](const Status& status) {
    failed = true;
    return Send(0, kFailure, Bytes(status.message().begin(), status.message().end()));
  };
  for (; !told_to_end; Pause()) {
    Message message;
    const Received received = TryReceive(message);
    if (received == Received::kError) break;
    if (received == Received::kNothing) continue;
    if (message.tag == kLeave) return kAllDone;
    bool sent = true;
    if (failed) continue;
    if (message.tag == kJob) {
      job = UnpackJob(message.bytes);
      if (!job.has_value()) return kIoFailed;
      job->options.cancel = &told_to_end;
      Result<std::shared_ptr<const Network>> loaded = ReceiveNetwork(*job);
      if (loaded.ok()) {
        network = std::move(loaded).value();
      } else {
        sent = fail(loaded.status());
      }
    } else {
      const std::optional<PathBatch> paths = UnpackPaths(message.bytes);
      if (!paths.has_value() || network == nullptr) return kIoFailed;
      const Result<OutcomeBatch> done = RunBatch(*job, network, *paths);
      if (told_to_end) break;  // some of these were cancelled
      sent = done.ok() ? Send(0, kOutcomes, Packed(done.value())) : fail(done.status());
    }
    if (!sent) break;
  }
  if (told_to_end) std::this_thread::sleep_for(std::chrono::seconds(1));
  return kIoFailed;
}

int Ranks::Leave(int exit_code) {
  if (size_ == 1) return exit_code;
  if (running_ || (!leads() && exit_code != kAllDone)) {
    // mpirun gets time to pass on the output: it drops what it has not read by then.
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    MPI_Abort(MPI_COMM_WORLD, exit_code);
    return exit_code;
  }
  if (leads()) {
    for (int rank = 1; rank < size_; ++rank) Send(rank, kLeave, {});
  }
  MPI_Finalize();
  return exit_code;
}

}  // namespace cssrun::tools
