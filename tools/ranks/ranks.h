// The processes that mpirun started to do one run together, or this one alone.
//
// Rank 0 is the program: it reads the command line, lists the images, hands them out in batches,
// runs some itself and prints what comes back, in order. The others serve it and print nothing. So
// the results are those of one process, byte for byte. Only ranks_mpi.cc knows MPI; without it
// ranks_alone.cc is built in its place.
#ifndef CSSRUN_TOOLS_RANKS_RANKS_H_
#define CSSRUN_TOOLS_RANKS_RANKS_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "cssrun/batch.h"
#include "cssrun/network.h"
#include "cssrun/session.h"
#include "cssrun/status.h"
#include "tools/limits.h"

namespace cssrun::tools {

struct FileRun {
  std::shared_ptr<const Network> network;
  std::string network_file;                  // that it was loaded from
  EngineKind engine = EngineKind::kInteger;  // that was asked for
  Limits limits;                             // of the network and the images
  SessionOptions options;
  unsigned threads = 0;  // in each process, as RunImages takes them; 0: all cores
  size_t count = 0;      // of images
  std::function<const std::string&(size_t index)> path;
};

class Ranks {
 public:
  // Joins the others, where mpirun started this process. Error: kInvalidArgument where it did, but
  // the program was built without MPI.
  static Result<Ranks> Join();

  bool leads() const { return rank_ == 0; }

  // Of rank 0: runs all images; delivers as RunImages, from this thread. Error: kIo when a rank is
  // lost or fails; what has been delivered by then is sound.
  Status Run(const FileRun& run, const DeliverOutcome& deliver);

  // Of the others: does what rank 0 asks for until it leaves; returns the exit code.
  int Serve();

  // Call last, all ranks. Rank 0 lets the others go, or ends them where its run did not come to its
  // end. Returns `exit_code`.
  int Leave(int exit_code);

 private:
  Ranks(int rank, int size) : rank_(rank), size_(size) {}

  int rank_;
  // Of no use to a process alone.
  [[maybe_unused]] int size_;
  [[maybe_unused]] bool running_ = false;  // the others may be at work
};

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_RANKS_RANKS_H_
