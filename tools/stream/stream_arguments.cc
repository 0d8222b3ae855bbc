#include "tools/stream/stream_arguments.h"

#include <charconv>
#include <system_error>

#include "tools/args.h"

namespace cssrun::tools {
namespace {

struct Conflict {
  const char* option;
  const char* remedy;
};

// What has no meaning for a stream, and what to do instead.
constexpr Conflict kConflicts[] = {
    {"PATH", "frames come from --stream alone; leave the other paths out"},
    {"--files0-from", "frames come from --stream alone; leave --files0-from out"},
    {"--resume",
     "a stream cannot go on where it was interrupted; leave --resume out, and keep the results "
     "with "
     "--format jsonl > FILE"},
    {"--early-exit",
     "a frame's answer is made of what changed, not step by step; leave --early-exit out"},
    {"--steps", "a frame's answer is made of what changed, not step by step; leave --steps out"},
    {"--latency", "the threads of a stream share each frame anyway; leave --latency out"},
    {"--neuron", "the report of a stream shows no single neurons; leave --neuron out"},
};

[[noreturn]] void Refuse(const std::string& message) {
  throw CLI::ValidationError("--stream", message);
}

std::optional<uint64_t> ParseFrames(const std::string& text) {
  uint64_t frames = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, frames);
  if (error != std::errc() || stop != end || frames == 0 || frames > 1'000'000) return std::nullopt;
  return frames;
}

bool IsGiven(const CLI::App& app, const std::string& option) {
  return app.get_option(option)->count() > 0;
}

}  // namespace

std::optional<FrameSize> ParseFrameSize(const std::string& text) {
  FrameSize size;
  const char* const end = text.data() + text.size();
  const auto [cross, first] = std::from_chars(text.data(), end, size.width);
  if (first != std::errc() || cross == end || *cross != 'x') return std::nullopt;
  const auto [stop, second] = std::from_chars(cross + 1, end, size.height);
  if (second != std::errc() || stop != end || size.width == 0 || size.height == 0) {
    return std::nullopt;
  }
  return size;
}

void DeclareStream(CLI::App& app, StreamArguments& arguments) {
  auto* stream =
      app.add_option("--stream", arguments.source,
                     "run the frames of this stream, each for the price of what changed: a folder "
                     "of images in order, a video, a camera (/dev/video0), or - for raw frames "
                     "(rgb24) on standard input")
          ->type_name("SOURCE");
  app.add_option(
         "--size", arguments.size,
         "width x height of the frames on standard input, such as 640x360; what to ask a camera "
         "for")
      ->type_name("SIZE")
      ->needs(stream);
  app.add_option("--hold", arguments.hold,
                 "a pixel keeps the value it had while the new one differs by no more than this")
      ->check(CLI::Range(0, 255))
      ->capture_default_str()
      ->needs(stream);
  app.add_option("--dead-zone", arguments.dead_zone,
                 "a neuron keeps its level while the new one is no further off than this many "
                 "levels, beyond rounding; 0 is exact")
      ->check(Between(0, 255))
      ->capture_default_str()
      ->needs(stream);
  auto* changes_only =
      app.add_flag("--changes-only", arguments.changes_only,
                   "print a frame only where the answer is another one than before")
          ->needs(stream);
  app.add_option("--every", arguments.every,
                 "print each Nth frame of a stream, all of which are run; of recordings of events, "
                 "an answer each TIME, such as 10ms")
      ->type_name("N|TIME")
      ->excludes(changes_only);
}

void CheckStream(const CLI::App& app, StreamArguments& arguments) {
  if (!IsGiven(app, "--stream")) return;
  if (arguments.source.empty()) Refuse("needs a folder, a video, a camera or -");
  for (const Conflict& conflict : kConflicts) {
    if (IsGiven(app, conflict.option)) Refuse(conflict.remedy);
  }
  if (app.get_option("--engine")->as<std::string>() == "float") {
    Refuse("streams are exact in whole numbers alone; leave --engine float out");
  }
  if (app.get_option("--format")->as<std::string>() == "npy") {
    Refuse("an .npy begins with the number of frames, which is not known; take --format jsonl");
  }
  if (!arguments.every.empty()) {
    const std::optional<uint64_t> frames = ParseFrames(arguments.every);
    if (!frames.has_value()) {
      throw CLI::ValidationError("--every", "of a stream, a number of frames from 1 to 1000000");
    }
    arguments.every_frames = *frames;
  }
  if (arguments.size.empty()) return;
  arguments.frame_size = ParseFrameSize(arguments.size);
  if (!arguments.frame_size.has_value()) {
    throw CLI::ValidationError("--size", "width x height in pixels, such as 640x360");
  }
}

}  // namespace cssrun::tools
