#include "tools/stream/run_stream.h"

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cssrun/stream.h"
#include "fmt/format.h"
#include "runtime/seconds_since.h"
#include "tools/progress.h"
#include "tools/ranks/run_files.h"
#include "tools/report/stream_page.h"
#include "tools/report/stream_tally.h"
#include "tools/stream/frame_source.h"
#include "tools/stream/interrupt.h"
#include "tools/stream/stream_lines.h"
#include "tools/stream/stream_summary.h"
#include "tools/terminal_text.h"
#include "tools/written_files.h"

namespace cssrun::tools {
namespace {

using Clock = std::chrono::steady_clock;

constexpr char kProgram[] = "cssrun";
constexpr size_t kMostMessages = 10;  // about damaged frames; the others are counted

Status CheckNumbers(const Arguments& arguments, const Network& network) {
  if (network.answer() == AnswerKind::kClasses) return Status::Ok();
  const auto refuse = [&](const char* what) {
    return Status::InvalidArgument(arguments.network + ": its outputs are numbers, " + what);
  };
  if (arguments.stream.changes_only) {
    return refuse("which differ in nearly every frame; leave --changes-only out, or take --every");
  }
  if (arguments.format == "csv") {
    return refuse("which --format csv cannot show; take --format jsonl");
  }
  return Status::Ok();
}

// Photos have an orientation, other frames have not.
Status CheckExif(const Arguments& arguments) {
  std::error_code ignored;
  if (!arguments.exif || std::filesystem::is_directory(arguments.stream.source, ignored)) {
    return Status::Ok();
  }
  return Status::InvalidArgument(arguments.stream.source +
                                 ": --exif turns the photos of a folder; leave it out");
}

SourceRequest RequestOf(const Arguments& arguments, const Network& network) {
  return {arguments.stream.source,
          arguments.stream.frame_size,
          arguments.limits.image,
          arguments.limits.frames,
          FormatOf(network, arguments.exif).exif,
          &Interrupt::flag()};
}

StreamOptions OptionsOf(const Arguments& arguments) {
  StreamOptions options;
  options.threads = arguments.threads;
  options.hold = arguments.stream.hold;
  options.dead_zone = arguments.stream.dead_zone;
  options.statistics = true;  // the summary says what the frames took
  options.profile = arguments.profile || !arguments.report.empty();
  options.cancel = &Interrupt::flag();
  return options;
}

class StreamRun {
 public:
  StreamRun(const Arguments& arguments, const std::shared_ptr<const Network>& network,
            FrameSource source, Stream stream)
      : arguments_(arguments),
        network_(*network),
        source_(std::move(source)),
        stream_(std::move(stream)),
        format_(FormatNamed(arguments.format)),
        summary_(*network, OptionsOf(arguments)) {}

  // Runs all frames; an interruption is no error.
  Status Run();
  // Prints and writes the summary.
  Status Conclude();
  bool whole() const { return summary_.damaged() == 0; }

 private:
  Status RunFrame();
  void NoteDamage();
  void NoteWarning();
  void Print();
  void Write(const std::string& text);
  void ShowLive();

  const Arguments& arguments_;
  const Network& network_;
  FrameSource source_;
  Stream stream_;
  const OutputFormat format_;
  StreamSummary summary_;
  StreamTally tally_;  // of the report
  Progress progress_;
  Frame frame_;
  std::vector<uint8_t> pixels_;
  StreamAnswer answer_;
  FrameResult result_;
  std::optional<size_t> last_answer_;
  bool answer_changed_ = false;
  bool written_ = true;
  Clock::time_point shown_ = Clock::now();
  uint64_t shown_frames_ = 0;
};

Status StreamRun::Run() {
  Write(StreamHeader(format_, arguments_.topk));
  const Clock::time_point start = Clock::now();
  Status status;
  for (; written_ && !Interrupt::flag(); ++result_.number) {
    const Clock::time_point asked = Clock::now();
    const Result<Delivered> delivered = source_.next(frame_);
    summary_.AddLoading(internal::SecondsSince(asked));
    if (!delivered.ok()) {
      status = delivered.status();
      break;
    }
    if (delivered.value() == Delivered::kEnd) break;
    result_.name = frame_.name;
    result_.seconds = frame_.seconds;
    if (delivered.value() == Delivered::kDamaged) {
      result_.seconds.reset();  // what is there is the time of the frame before
      NoteDamage();
      continue;
    }
    status = RunFrame();
    if (!status.ok()) break;
    ShowLive();
  }
  summary_.Finish(internal::SecondsSince(start));
  progress_.Clear();
  if (status.code() == StatusCode::kCancelled) return Status::Ok();
  // Without pipefail, nobody else says that the program before the pipe failed.
  const bool none = status.ok() && result_.number == 0 && !Interrupt::flag() && written_;
  return none ? Status::Io((arguments_.stream.source == "-" ? "standard input"
                                                            : arguments_.stream.source) +
                           std::string(": ended before its first frame"))
              : status;
}

Status StreamRun::RunFrame() {
  const Image& image = frame_.image;
  const Clock::time_point loaded = Clock::now();
  Status status = Preprocess(network_.input(), image.rgb, image.width, image.height, pixels_);
  summary_.AddLoading(internal::SecondsSince(loaded));
  if (status.ok()) status = stream_.Next(std::span<const uint8_t>(pixels_), answer_);
  if (!status.ok()) return status;
  if (!image.warning.empty()) NoteWarning();
  result_.error.clear();
  if (network_.answer() == AnswerKind::kClasses) {
    result_.guesses = BestGuesses(answer_.logits, network_.labels(), arguments_.topk);
    answer_changed_ = last_answer_ != result_.guesses[0].index;
    if (answer_changed_ && last_answer_.has_value()) summary_.AddAnswerChange();
    last_answer_ = result_.guesses[0].index;
  }
  summary_.Add(answer_);
  if (!arguments_.report.empty()) tally_.Add(result_, answer_, image);
  Print();
  return status;
}

void StreamRun::NoteDamage() {
  summary_.AddDamaged();
  result_.error = frame_.error;
  result_.guesses.clear();
  tally_.AddDamaged(result_);
  if (summary_.damaged() <= kMostMessages) {
    progress_.Clear();
    PrintError(kProgram, "frame " + std::to_string(result_.number) + ": " + frame_.error);
  }
  if (format_ != OutputFormat::kText) {
    Write(StreamLine(format_, result_, answer_, network_, arguments_.topk));
  }
}

void StreamRun::NoteWarning() {
  summary_.AddWarning();
  if (summary_.warned() > 1) return;
  progress_.Clear();
  PrintError(kProgram, "frame " + std::to_string(result_.number) + ": " + frame_.image.warning +
                           "; later ones are counted");
}

void StreamRun::Print() {
  if (arguments_.stream.changes_only ? !answer_changed_
                                     : result_.number % arguments_.stream.every_frames != 0) {
    return;
  }
  Write(StreamLine(format_, result_, answer_, network_, arguments_.topk));
}

// Writes to standard output at once, since who reads it may wait for each frame.
void StreamRun::Write(const std::string& text) {
  if (text.empty() || !written_) return;
  progress_.Clear();
  written_ =
      std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
}

void StreamRun::ShowLive() {
  if (!progress_.IsDue()) return;
  const double rate =
      static_cast<double>(summary_.frames() - shown_frames_) / internal::SecondsSince(shown_);
  shown_ = Clock::now();
  shown_frames_ = summary_.frames();
  const std::string best =
      result_.guesses.empty() ? std::string()
                              : GuessesText({result_.guesses.begin(), result_.guesses.begin() + 1});
  progress_.Show(fmt::format("frame {}  {:.1f} frames/s  {:.1f}% changed{}", result_.number, rate,
                             answer_.changed_share() * 100, best));
}

Status StreamRun::Conclude() {
  if (summary_.damaged() > kMostMessages) {
    PrintError(kProgram, std::to_string(summary_.damaged() - kMostMessages) +
                             " more frames could not be decoded");
  }
  if (arguments_.profile) PrintMessage(summary_.ProfileText());
  PrintMessage(summary_.ToText());
  if (!arguments_.summary.empty()) {
    if (Status status = WriteText(arguments_.summary, summary_.ToJson()); !status.ok()) {
      return status;
    }
  }
  if (!arguments_.report.empty()) {
    const std::string page =
        StreamPage({std::filesystem::path(arguments_.network).filename().string(),
                    arguments_.stream.source, network_, summary_, tally_});
    if (Status status = WriteText(arguments_.report, page); !status.ok()) return status;
  }
  return written_ ? Status::Ok() : Status::Io("cannot write the results");
}

}  // namespace

Result<bool> RunStream(const Arguments& arguments, const std::shared_ptr<const Network>& network) {
  if (Status status = CheckNumbers(arguments, *network); !status.ok()) return status;
  if (Status status = CheckExif(arguments); !status.ok()) return status;
  const Interrupt interrupt;
  Result<Stream> stream = Stream::Create(network, OptionsOf(arguments));
  if (!stream.ok()) {
    return Status(stream.status().code(), arguments.network + ": " + stream.status().message());
  }
  Result<FrameSource> source = OpenSource(RequestOf(arguments, *network));
  if (!source.ok()) return source.status();
  if (!source.value().remark.empty()) PrintError(kProgram, source.value().remark);
  StreamRun run(arguments, network, std::move(source).value(), std::move(stream).value());
  const Status ran = run.Run();
  // What was run is summed up in any case; the first error is the one to report.
  const Status concluded = run.Conclude();
  if (!ran.ok()) return ran;
  if (!concluded.ok()) return concluded;
  return run.whole();
}

}  // namespace cssrun::tools
