// The options of cssrun --stream.
#ifndef CSSRUN_TOOLS_STREAM_STREAM_ARGUMENTS_H_
#define CSSRUN_TOOLS_STREAM_STREAM_ARGUMENTS_H_

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <string>

#include "tools/stream/frame_source.h"

namespace cssrun::tools {

struct StreamArguments {
  std::string source;  // empty: no stream, but images
  std::string size;    // "WxH" or empty; CheckStream() makes `frame_size` of it
  std::optional<FrameSize> frame_size;
  unsigned hold = 0;
  double dead_zone = 0;
  bool changes_only = false;
  // Print each Nth frame, or recordings' answers in such times; CheckStream() makes `every_frames`.
  std::string every;
  uint64_t every_frames = 1;
};

// Parses "640x360", width first as ffmpeg writes it. Returns nothing if that is no size.
std::optional<FrameSize> ParseFrameSize(const std::string& text);

// Declares the options and their help texts.
void DeclareStream(CLI::App& app, StreamArguments& arguments);

// Checks what was parsed, that of the other options too: throws CLI::ValidationError where options
// cannot go together, with what to do instead.
void CheckStream(const CLI::App& app, StreamArguments& arguments);

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_STREAM_STREAM_ARGUMENTS_H_
