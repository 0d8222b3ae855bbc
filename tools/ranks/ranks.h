// The processes that mpirun started to do one run together, or this process alone.
//
// Rank 0 is the program: it reads the command line, lists the images, hands them out in batches,
// runs some itself and prints the results in order. The other ranks serve it and print nothing. The
// results are therefore those of one process, byte for byte. Only ranks_mpi.cc knows MPI; a build
// without MPI has ranks_alone.cc in its place.
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
#include "tools/ranks/run_files.h"

namespace cssrun::tools {

struct FileRun {
  std::shared_ptr<const Network> network;
  std::string network_file;                  // where the network was loaded from
  EngineKind engine = EngineKind::kInteger;  // the engine that was asked for
  Limits limits;                             // for the network and the images
  bool upright = false;                      // turn images by their EXIF orientation
  SessionOptions options;
  unsigned threads = 0;  // in each process, as RunImages takes them; 0: all cores
  size_t count = 0;      // number of images
  std::function<const std::string&(size_t index)> path;
};

class Ranks {
 public:
  // Joins the other ranks if mpirun started this process. Error: kInvalidArgument if it did, but
  // the program was built without MPI.
  static Result<Ranks> Join();

  bool leads() const { return rank_ == 0; }
  bool alone() const { return size_ == 1; }

  // For rank 0: runs all images and delivers them as RunImages does, from this thread. Error: kIo
  // when a rank is lost or fails; everything delivered by then is sound.
  Status Run(const FileRun& run, const DeliverFile& deliver);

  // For the other ranks: does what rank 0 asks for until it leaves; returns the exit code.
  int Serve();

  // Call this last, on all ranks. Rank 0 lets the others go, or ends them if its run was not
  // finished. Returns `exit_code`.
  int Leave(int exit_code);

 private:
  Ranks(int rank, int size) : rank_(rank), size_(size) {}

  int rank_;
  int size_;
  [[maybe_unused]] bool running_ = false;  // the others may be at work
};

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_RANKS_RANKS_H_
