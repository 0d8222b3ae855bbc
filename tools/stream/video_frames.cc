// Frames of video files and cameras, through FFmpeg's libraries: the module of video.h.
//
// A video is as untrusted as any file. FFmpeg gets its bytes from a descriptor that was opened
// here, and may open nothing else: no playlist or reference in the file leads to another file or to
// the network. Only containers of kFormats are tried, which their content tells, not their name.
extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/imgutils.h>
#include <libswscale/swscale.h>
#if CSSRUN_HAS_AVDEVICE
#include <libavdevice/avdevice.h>
#endif
}
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <type_traits>
#include <utility>

#include "tools/stream/frame_source.h"
#include "tools/stream/video.h"

namespace cssrun::tools {
namespace {

constexpr char kFormats[] =
    "matroska,webm,mov,mp4,avi,mpegts,mpeg,mpegvideo,flv,ogg,asf,ivf,mjpeg,h264,hevc,m4v,"
    "yuv4mpegpipe,gif,apng,obu,av1";
// Errors one after another, without a frame between them, after which the rest is given up.
constexpr int kMostErrorsInARow = 1000;

std::string ErrorText(int error) {
  std::array<char, AV_ERROR_MAX_STRING_SIZE> text = {};
  av_strerror(error, text.data(), text.size());
  return text.data();
}

int ReadBytes(void* opaque, uint8_t* bytes, int size) {
  const ssize_t count = read(*static_cast<int*>(opaque), bytes, static_cast<size_t>(size));
  if (count < 0) return AVERROR(errno);
  return count == 0 ? AVERROR_EOF : static_cast<int>(count);
}

int64_t Seek(void* opaque, int64_t offset, int whence) {
  const int descriptor = *static_cast<int*>(opaque);
  if (whence == AVSEEK_SIZE) {
    struct stat status = {};
    return fstat(descriptor, &status) == 0 ? static_cast<int64_t>(status.st_size) : AVERROR(errno);
  }
  const off_t at = lseek(descriptor, offset, whence & ~AVSEEK_FORCE);
  return at < 0 ? AVERROR(errno) : static_cast<int64_t>(at);
}

int OpenNothing(AVFormatContext* /*format*/, AVIOContext** /*io*/, const char* /*url*/,
                int /*flags*/, AVDictionary** /*options*/) {
  return AVERROR(EACCES);
}

int IsStopped(void* stop) { return static_cast<const std::atomic<bool>*>(stop)->load() ? 1 : 0; }

void FreeIo(AVIOContext* io) {
  av_freep(&io->buffer);
  avio_context_free(&io);
}

template <class T, void (*free)(T**)>
struct FreeAt {
  void operator()(T* object) const { free(&object); }
};
using Format = std::unique_ptr<AVFormatContext, FreeAt<AVFormatContext, avformat_close_input>>;
using Codec = std::unique_ptr<AVCodecContext, FreeAt<AVCodecContext, avcodec_free_context>>;
using Packet = std::unique_ptr<AVPacket, FreeAt<AVPacket, av_packet_free>>;
using Picture = std::unique_ptr<AVFrame, FreeAt<AVFrame, av_frame_free>>;

class Video {
 public:
  explicit Video(const SourceRequest& request)
      : request_(request), packet_(av_packet_alloc()), picture_(av_frame_alloc()) {
    av_log_set_level(AV_LOG_QUIET);  // what it prints may steer a terminal
  }
  ~Video() {
    format_.reset();
    sws_freeContext(converter_);
    if (descriptor_ >= 0) close(descriptor_);
  }
  Video(const Video&) = delete;
  Video& operator=(const Video&) = delete;

  Status OpenFile();
  Status OpenDevice();
  Result<Delivered> Next(Frame& frame);

 private:
  Status Refuse(const std::string& what) const {
    return Status::InvalidArgument(request_.source + ": " + what);
  }
  Status FindStream();
  // Opens `url` with what format_ holds already.
  int OpenInput(const char* url, const AVInputFormat* kind, AVDictionary* options);
  // Gives the decoder the next packet. Returns FFmpeg's error, or 0.
  int Feed();
  // Whether bytes follow the last whole frame. Of Y4M, FFmpeg then reports the end of the file and
  // nothing else; in other containers bytes may follow, such as an index.
  bool EndsWithinFrame() const;
  Result<Delivered> Damaged(const std::string& what, Frame& frame);
  Result<Delivered> Convert(Frame& frame);
  void SetColours();

  const SourceRequest request_;
  int descriptor_ = -1;
  std::unique_ptr<AVIOContext, void (*)(AVIOContext*)> io_{nullptr, FreeIo};
  Format format_;
  Codec codec_;
  Packet packet_;
  Picture picture_;
  Picture rgb_;
  SwsContext* converter_ = nullptr;
  int stream_ = -1;
  bool drained_ = false;    // the decoder knows that no packet follows
  bool end_said_ = false;   // that the file ends within a frame
  int64_t packet_end_ = 0;  // in the file, of the last packet
  std::optional<double> first_seconds_;
  uint64_t frames_ = 0;
  int errors_in_a_row_ = 0;
};

int Video::OpenInput(const char* url, const AVInputFormat* kind, AVDictionary* options) {
  format_->interrupt_callback = {IsStopped,
                                 const_cast<void*>(static_cast<const void*>(request_.stop))};
  AVFormatContext* format = format_.release();  // which a failure frees
  const int error = avformat_open_input(&format, url, kind, &options);
  av_dict_free(&options);
  if (error == 0) format_.reset(format);
  return error;
}

Status Video::OpenFile() {
  // Without O_NONBLOCK a pipe that has taken the file's place would be waited for.
  descriptor_ = open(request_.source.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor_ < 0) return Status::Io(request_.source + ": " + std::strerror(errno));
  constexpr int kBuffer = 1 << 16;
  auto* buffer = static_cast<uint8_t*>(av_malloc(kBuffer));
  if (buffer == nullptr) return Status::OutOfMemory();
  io_.reset(avio_alloc_context(buffer, kBuffer, 0, &descriptor_, ReadBytes, nullptr, Seek));
  format_.reset(avformat_alloc_context());
  if (io_ == nullptr || format_ == nullptr) return Status::OutOfMemory();
  format_->pb = io_.get();
  format_->io_open = OpenNothing;
  AVDictionary* options = nullptr;
  av_dict_set(&options, "format_whitelist", kFormats, 0);
  if (const int error = OpenInput(request_.source.c_str(), nullptr, options); error < 0) {
    const bool other_kind = error == AVERROR(EINVAL);  // not among kFormats
    return Refuse("no video that is read (" +
                  (other_kind ? std::string("another kind of file") : ErrorText(error)) +
                  "); frames may also be a folder of images");
  }
  return FindStream();
}

Status Video::OpenDevice() {
#if CSSRUN_HAS_AVDEVICE
  avdevice_register_all();
  const AVInputFormat* kind = av_find_input_format("video4linux2");
  format_.reset(avformat_alloc_context());
  if (format_ == nullptr) return Status::OutOfMemory();
  AVDictionary* options = nullptr;
  if (request_.size.has_value()) {
    const std::string size =
        std::to_string(request_.size->width) + "x" + std::to_string(request_.size->height);
    av_dict_set(&options, "video_size", size.c_str(), 0);
  }
  if (const int error = OpenInput(request_.source.c_str(), kind, options); error < 0) {
    return Status::Io(request_.source + ": no camera that can be opened (" + ErrorText(error) +
                      "); v4l2-ctl --list-devices names those that are there");
  }
  return FindStream();
#else
  return Refuse(
      "built without FFmpeg's cameras; install libavdevice-dev and build again, or let ffmpeg read "
      "it: ffmpeg -f v4l2 -i " +
      request_.source +
      " -s 640x360 -f rawvideo -pix_fmt rgb24 - | cssrun NET --stream - --size 640x360");
#endif
}

Status Video::FindStream() {
  if (packet_ == nullptr || picture_ == nullptr) return Status::OutOfMemory();
  if (const int error = avformat_find_stream_info(format_.get(), nullptr); error < 0) {
    return Refuse("no video that FFmpeg reads (" + ErrorText(error) + ")");
  }
  const AVCodec* decoder = nullptr;
  stream_ = av_find_best_stream(format_.get(), AVMEDIA_TYPE_VIDEO, -1, -1, &decoder, 0);
  if (stream_ < 0) return Refuse("no video in it that FFmpeg decodes");
  for (unsigned i = 0; i < format_->nb_streams; ++i) {
    if (static_cast<int>(i) != stream_) format_->streams[i]->discard = AVDISCARD_ALL;
  }
  codec_.reset(avcodec_alloc_context3(decoder));
  if (codec_ == nullptr) return Status::OutOfMemory();
  codec_->max_pixels = static_cast<int64_t>(request_.limits.pixels);
  codec_->thread_count = 1;  // the network has the others
  codec_->pkt_timebase = format_->streams[stream_]->time_base;
  int error = avcodec_parameters_to_context(codec_.get(), format_->streams[stream_]->codecpar);
  if (error >= 0 && codec_->width > 0 && codec_->height > 0) {
    const Status fits = CheckSize(static_cast<uint64_t>(codec_->width),
                                  static_cast<uint64_t>(codec_->height), request_.limits);
    if (!fits.ok()) return Refuse(fits.message());
  }
  if (error >= 0) error = avcodec_open2(codec_.get(), decoder, nullptr);
  if (error < 0) return Refuse("its video cannot be decoded (" + ErrorText(error) + ")");
  return Status::Ok();
}

int Video::Feed() {
  int error = av_read_frame(format_.get(), packet_.get());
  if (error == AVERROR_EOF) {
    if (drained_) return AVERROR_EOF;
    drained_ = true;
    return avcodec_send_packet(codec_.get(), nullptr);
  }
  if (error < 0) return error == AVERROR(EAGAIN) ? 0 : error;
  packet_end_ = packet_->pos + packet_->size;
  if (packet_->stream_index == stream_) error = avcodec_send_packet(codec_.get(), packet_.get());
  av_packet_unref(packet_.get());
  return error;
}

Result<Delivered> Video::Next(Frame& frame) {
  while (!*request_.stop) {
    int error = avcodec_receive_frame(codec_.get(), picture_.get());
    if (error == 0) return Convert(frame);
    if (error == AVERROR(EAGAIN)) error = Feed();
    if (error == AVERROR_EOF && !end_said_ && EndsWithinFrame()) {
      end_said_ = true;
      return Damaged("the file ends within a frame", frame);
    }
    if (error == AVERROR_EOF || error == AVERROR_EXIT) return Delivered::kEnd;
    if (error == AVERROR(ENOMEM)) return Status::OutOfMemory();
    if (error == AVERROR(EIO) || error == AVERROR(ENODEV)) {
      return Status::Io(request_.source + ": " + ErrorText(error));
    }
    if (error < 0) return Damaged(ErrorText(error), frame);
  }
  return Delivered::kEnd;
}

bool Video::EndsWithinFrame() const {
  struct stat status = {};
  return descriptor_ >= 0 && std::strcmp(format_->iformat->name, "yuv4mpegpipe") == 0 &&
         packet_end_ > 0 && fstat(descriptor_, &status) == 0 && status.st_size > packet_end_;
}

Result<Delivered> Video::Damaged(const std::string& what, Frame& frame) {
  if (++errors_in_a_row_ > kMostErrorsInARow) {
    return Refuse("given up: nothing could be decoded " + std::to_string(kMostErrorsInARow) +
                  " times in a row");
  }
  frame.error = request_.source + ": " + what;
  return Delivered::kDamaged;
}

// The colours as the video says they were encoded; what FFmpeg assumes otherwise is for small ones.
void Video::SetColours() {
  int* from = nullptr;
  int* to = nullptr;
  int from_range = 0;
  int to_range = 0;
  int brightness = 0;
  int contrast = 0;
  int saturation = 0;
  if (sws_getColorspaceDetails(converter_, &from, &from_range, &to, &to_range, &brightness,
                               &contrast, &saturation) < 0) {
    return;
  }
  if (picture_->colorspace != AVCOL_SPC_UNSPECIFIED) {
    from = const_cast<int*>(sws_getCoefficients(picture_->colorspace));
  }
  if (picture_->color_range != AVCOL_RANGE_UNSPECIFIED) {
    from_range = picture_->color_range == AVCOL_RANGE_JPEG ? 1 : 0;
  }
  sws_setColorspaceDetails(converter_, from, from_range, to, to_range, brightness, contrast,
                           saturation);
}

Result<Delivered> Video::Convert(Frame& frame) {
  if (++frames_ > request_.most_frames && descriptor_ >= 0) return TooManyFrames(request_);
  const int width = picture_->width;
  const int height = picture_->height;
  const auto source = static_cast<AVPixelFormat>(picture_->format);
  const Status fits =
      CheckSize(static_cast<uint64_t>(width), static_cast<uint64_t>(height), request_.limits);
  if (!fits.ok()) return Refuse(fits.message());
  // Into memory of FFmpeg's own, since it may write beyond the end of a row.
  if (rgb_ == nullptr || rgb_->width != width || rgb_->height != height) {
    rgb_.reset(av_frame_alloc());
    if (rgb_ == nullptr) return Status::OutOfMemory();
    rgb_->format = AV_PIX_FMT_RGB24;
    rgb_->width = width;
    rgb_->height = height;
    if (av_frame_get_buffer(rgb_.get(), 0) < 0) return Status::OutOfMemory();
  }
  converter_ =
      sws_getCachedContext(converter_, width, height, source, width, height, AV_PIX_FMT_RGB24,
                           SWS_BILINEAR | SWS_ACCURATE_RND, nullptr, nullptr, nullptr);
  if (converter_ == nullptr) return Damaged(ErrorText(AVERROR(ENOSYS)), frame);
  SetColours();
  const int rows = sws_scale(converter_, picture_->data, picture_->linesize, 0, height, rgb_->data,
                             rgb_->linesize);
  if (rows != height) return Damaged(ErrorText(rows < 0 ? rows : AVERROR_INVALIDDATA), frame);
  errors_in_a_row_ = 0;

  Image& image = frame.image;
  image.width = static_cast<uint32_t>(width);
  image.height = static_cast<uint32_t>(height);
  image.rgb.resize(size_t{image.width} * image.height * 3);
  av_image_copy_plane(image.rgb.data(), width * 3, rgb_->data[0], rgb_->linesize[0], width * 3,
                      height);
  const bool concealed =
      picture_->decode_error_flags != 0 || (picture_->flags & AV_FRAME_FLAG_CORRUPT) != 0;
  image.warning = concealed ? "parts of the frame are damaged" : "";
  frame.seconds.reset();
  if (picture_->best_effort_timestamp != AV_NOPTS_VALUE) {
    const double seconds = static_cast<double>(picture_->best_effort_timestamp) *
                           av_q2d(format_->streams[stream_]->time_base);
    if (!first_seconds_.has_value()) first_seconds_ = seconds;
    frame.seconds = seconds - *first_seconds_;
  }
  return Delivered::kFrame;
}

}  // namespace

extern "C" __attribute__((visibility("default"))) void CssrunOpenVideo(
    const SourceRequest& request, bool camera, Result<FrameSource>& opened) {
  const auto video = std::make_shared<Video>(request);
  if (Status status = camera ? video->OpenDevice() : video->OpenFile(); !status.ok()) {
    opened = status;
  } else {
    opened = FrameSource{[video](Frame& frame) { return video->Next(frame); }};
  }
}

static_assert(std::is_same_v<decltype(CssrunOpenVideo), OpenVideoFunction>);

}  // namespace cssrun::tools
