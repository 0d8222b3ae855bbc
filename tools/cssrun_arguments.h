// The arguments of cssrun's command line.
#ifndef CSSRUN_TOOLS_CSSRUN_ARGUMENTS_H_
#define CSSRUN_TOOLS_CSSRUN_ARGUMENTS_H_

#include <string>
#include <vector>

#include "cssrun/network.h"
#include "cssrun/session.h"
#include "cssrun/status.h"
#include "tools/args.h"
#include "tools/image_list.h"
#include "tools/limits.h"
#include "tools/output.h"
#include "tools/recordings/recording_arguments.h"
#include "tools/stream/stream_arguments.h"

namespace cssrun::tools {

struct Arguments {
  std::string network;
  std::vector<std::string> paths;
  std::string paths_from;
  size_t topk = 1;
  std::string format = "text";
  std::string engine = "integer";
  unsigned threads = 0;
  std::string summary;
  std::string early_exit;
  bool profile = false;
  bool steps = false;
  bool latency = false;
  bool exif = false;
  std::string report;
  std::string resume;
  std::vector<std::string> neurons;
  StreamArguments stream;
  RecordingArguments recordings;
  Limits limits;
};

// Declares the options and their help texts.
void Declare(CLI::App& app, Arguments& arguments);

OutputFormat FormatNamed(const std::string& name);

// Returns the paths that the command line and --files0-from name. Error: kIo.
Result<std::vector<std::string>> PathsOf(const Arguments& arguments);

// Returns the images that the paths name, in order, and counts those that folders have beside them.
// Errors: kInvalidArgument when there are none, kIo.
Result<std::vector<ImageFile>> CollectImages(const Arguments& arguments, const Network& network,
                                             LeftOut& left_out);

// Returns the options to run each image with. Error: kInvalidArgument where the network lacks
// something that was asked for.
Result<SessionOptions> OptionsOf(const Arguments& arguments, const Network& network);

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_CSSRUN_ARGUMENTS_H_
