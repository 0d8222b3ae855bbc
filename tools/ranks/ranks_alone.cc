// The ranks of a build without MPI: this process alone.
#include <cstdlib>
#include <string>

#include "tools/ranks/ranks.h"
#include "tools/ranks/run_files.h"

namespace cssrun::tools {

Result<Ranks> Ranks::Join() {
  // Without MPI, each process that mpirun started would do the whole work.
  const char* ranks = std::getenv("OMPI_COMM_WORLD_SIZE");
  if (ranks != nullptr && std::string(ranks) != "1") {
    return Status::InvalidArgument(std::string("one of ") + ranks +
                                   " ranks, but built without MPI; build with -DCSSRUN_MPI=ON");
  }
  return Ranks(0, 1);
}

Status Ranks::Run(const FileRun& run, const DeliverFile& deliver) {
  return RunFiles(run.network, FormatOf(*run.network, run.upright), run.options, run.limits.image,
                  run.threads, run.count, run.path, deliver);
}

int Ranks::Serve() { return 0; }

int Ranks::Leave(int exit_code) { return exit_code; }

}  // namespace cssrun::tools
