// Tests the page of cssrun --report, whatever the images' names contain.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>
#include <limits>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

#include "tests/tools/cli_fixture.h"
#include "tools/report/html.h"
#include "tools/report/tally.h"
#include "tools/report/watch.h"

namespace cssrun::tools {
namespace {

TEST(HtmlTest, NothingIsMarkup) {
  EXPECT_EQ(HtmlText("<script>alert(\"1\" + '2' && x)</script>"),
            "&lt;script&gt;alert(&quot;1&quot; + &#39;2&#39; &amp;&amp; x)&lt;/script&gt;");
  EXPECT_EQ(HtmlText(std::string_view("a\x01\n\x7f\xff\xc3(\0b", 9)),
            "a\\x01\\x0a\\x7f\\xff\\xc3(\\x00b");
  EXPECT_EQ(HtmlText("Stra\u00dfe \u732b"), "Stra\u00dfe \u732b");
}

TEST(HtmlTest, ALongNameLosesItsMiddle) {
  EXPECT_EQ(ShortHtmlText("abcdefgh", 8), "abcdefgh");
  EXPECT_EQ(ShortHtmlText("abcdefghi", 8), "abcd\u2026ghi");
  EXPECT_EQ(ShortHtmlText("\u732b\u732b\u732b\u732b\u732b", 4), "\u732b\u732b\u2026\u732b");
  EXPECT_EQ(ShortHtmlText("<<<<<", 3), "&lt;\u2026&lt;");
  EXPECT_EQ(ShortHtmlText("", 3), "");
}

TEST(HtmlTest, DataUrisAreBase64) {
  const auto uri = [](const std::string& text) {
    return DataUri("a/b", {reinterpret_cast<const uint8_t*>(text.data()), text.size()});
  };
  // The examples of RFC 4648, section 10.
  EXPECT_EQ(uri(""), "data:a/b;base64,");
  EXPECT_EQ(uri("f"), "data:a/b;base64,Zg==");
  EXPECT_EQ(uri("fo"), "data:a/b;base64,Zm8=");
  EXPECT_EQ(uri("foo"), "data:a/b;base64,Zm9v");
  EXPECT_EQ(uri("foobar"), "data:a/b;base64,Zm9vYmFy");
  EXPECT_EQ(uri("\xff\xef\xbe"), "data:a/b;base64,/+++");
}

ImageOutcome Logits(std::vector<float> logits) {
  ImageOutcome outcome;
  outcome.answer.logits = std::move(logits);
  return outcome;
}

TEST(TallyTest, KeepsTheHardestAndCountsMistakes) {
  const std::vector<std::string> labels = {"a", "b", "c", "d", "e"};
  Tally tally(labels, labels.size());
  tally.Add({"sure", 0}, Logits({9, 1, 0, 0, 0}));
  tally.Add({"close", 0}, Logits({2, 1, 0, 0, 0}));
  tally.Add({"wrong", 0}, Logits({1, 3, 4, 2, 0}));
  tally.Add({"unknown", kUnknownTruth}, Logits({0, 0, 3, 0, 2.5F}));
  tally.Add({"last", 4}, Logits({5, 4, 3, 2, 1}));
  ImageOutcome failure;
  failure.status = Status::InvalidArgument("x: broken");
  tally.Add({"x", 0}, failure);

  const std::vector<HardImage> hardest = tally.Hardest();
  ASSERT_EQ(hardest.size(), 5U);
  EXPECT_EQ(hardest[0].path, "last");
  EXPECT_EQ(hardest[0].lead, -4);
  EXPECT_EQ(hardest[1].path, "wrong");
  EXPECT_EQ(hardest[1].lead, -3);
  EXPECT_EQ(hardest[2].path, "unknown");
  EXPECT_EQ(hardest[2].lead, 0.5);
  EXPECT_EQ(hardest[3].path, "close");
  EXPECT_EQ(hardest[4].lead, 8);
  // The true class is listed even if it is not among the best three.
  ASSERT_EQ(hardest[0].guesses.size(), 4U);
  EXPECT_EQ(hardest[0].guesses[3].label, "e");
  EXPECT_EQ(hardest[1].guesses.size(), 4U);
  EXPECT_EQ(hardest[3].guesses.size(), 3U);

  EXPECT_EQ(tally.classes()[0].images, 3U);
  EXPECT_EQ(tally.classes()[0].right, 2U);
  EXPECT_EQ(tally.CountOf(0, 0), 2U);
  EXPECT_EQ(tally.CountOf(0, 2), 1U);
  EXPECT_EQ(tally.CountOf(4, 0), 1U);
  EXPECT_EQ(tally.CountOf(2, 0), 0U);
  const std::vector<Confusion> confused = tally.MostConfused(1);
  ASSERT_EQ(confused.size(), 1U);
  EXPECT_EQ(confused[0].truth, 0U);
  EXPECT_EQ(confused[0].answer, 2U);
  EXPECT_EQ(tally.failed(), 1U);
  EXPECT_EQ(tally.failures(), std::vector<std::string>{"x: broken"});
}

TEST(TallyTest, KeepsOnlySoMany) {
  const std::vector<std::string> labels = {"a", "b"};
  Tally tally(labels, 2);
  for (int i = 0; i < 1000; ++i) {
    // The order has harder images both before and after each image, and each lead occurs twice.
    const auto lead = static_cast<float>(i * 7 % 500);
    tally.Add({std::to_string(i), 0}, Logits({lead, 0}));
    ImageOutcome failure;
    failure.status = Status::Io("failed");
    tally.Add({"f", 0}, failure);
  }
  const std::vector<HardImage> hardest = tally.Hardest();
  ASSERT_EQ(hardest.size(), Tally::kHardest);
  for (size_t i = 0; i < hardest.size(); ++i) {
    EXPECT_EQ(hardest[i].lead, std::floor(static_cast<double>(i) / 2));
    if (i % 2 == 1) {
      EXPECT_LT(std::stoi(hardest[i - 1].path), std::stoi(hardest[i].path));
    }
  }
  EXPECT_EQ(tally.failed(), 1000U);
  EXPECT_EQ(tally.failures().size(), Tally::kFailures);
}

TEST(TallyTest, LogitsThatAreNoNumbersAreHard) {
  Tally tally({}, 3);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  tally.Add({"easy", 0}, Logits({1, 0, 0}));
  tally.Add({"nan", 1}, Logits({nan, nan, nan}));
  EXPECT_EQ(tally.Hardest()[0].path, "nan");
  EXPECT_EQ(tally.Hardest()[0].guesses[0].label, "0");
  Tally one({}, 1);
  one.Add({"only", 0}, Logits({1}));
  EXPECT_EQ(one.Hardest().size(), 1U);
}

TEST(WatchTest, NeuronsByNameAndNumber) {
  const auto network = Loaded(SmallNetwork(kLabels));
  ASSERT_EQ(network->layers().size(), 4U);
  const auto parsed = [&](const std::string& text) { return ParseNeuron(*network, text); };
  ASSERT_TRUE(parsed("layer1:47").ok());
  EXPECT_EQ(parsed("layer1:47").value().layer, 2U);
  EXPECT_EQ(parsed("layer1:47").value().neuron, 47U);
  EXPECT_EQ(parsed("0:5").value().layer, 0U);
  for (const std::string text : {"layer1:48", "layer1:", "layer1:-1", "layer1:1x", "3:0",
                                 "logits:0", "4:0", "x:1", ":1", "layer1", ""}) {
    EXPECT_EQ(parsed(text).status().code(), StatusCode::kInvalidArgument) << text;
  }
  EXPECT_TRUE(Contains(parsed("layer1:48").status().message(), "0 to 47"));
}

TEST(WatchTest, ShowsWhatTheSessionRecords) {
  const auto network = Loaded(SmallNetwork(kLabels));
  const std::vector<uint8_t> pixels = NumberedImage(5).rgb;
  const std::vector<NeuronChoice> chosen = {{2, 7}, {0, 3}, {2, 1}};
  const auto watched = WatchNeurons(network, {}, pixels, chosen);
  ASSERT_TRUE(watched.ok()) << watched.status().message();
  ASSERT_EQ(watched.value().size(), 2U);
  const WatchedLayer& layer = watched.value()[1];
  EXPECT_EQ(layer.layer, 2U);
  ASSERT_EQ(layer.neurons.size(), 2U);
  EXPECT_EQ(layer.neurons[0].neuron, 7U);
  EXPECT_EQ(layer.thresholds.size(), 6U);

  SessionOptions options;
  options.record = {{.layer = 2, .spikes = true, .membranes = true}};
  Session session(network, options);
  Answer answer;
  ASSERT_TRUE(session.Run(pixels, answer).ok());
  for (size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(layer.neurons[0].spikes[i], answer.recordings[0].spikes[i * 48 + 7]);
  }
  ASSERT_EQ(layer.neurons[0].membranes.size(), 7U);
  for (size_t i = 0; i < 7; ++i) {
    EXPECT_EQ(layer.neurons[0].membranes[i], answer.recordings[0].membranes[i * 48 + 7]);
  }

  // By default the sample has every spiking layer, and of each only neurons that spike, the busiest
  // first.
  const auto sample = WatchNeurons(network, {}, pixels, {});
  ASSERT_TRUE(sample.ok());
  ASSERT_EQ(sample.value().size(), 3U);
  for (const WatchedLayer& sampled : sample.value()) {
    ASSERT_FALSE(sampled.neurons.empty());
    std::vector<size_t> counts;
    for (const WatchedNeuron& neuron : sampled.neurons) {
      counts.push_back(6 - static_cast<size_t>(std::ranges::count(neuron.spikes, 0)));
    }
    EXPECT_TRUE(std::ranges::is_sorted(counts, std::greater()));
    EXPECT_GT(counts.back(), 0U);
  }
}

class ReportTest : public CliTest {
 protected:
  // Returns the page that `cssrun net.fb ARGUMENTS --report page.html` writes.
  std::string Page(std::vector<std::string> arguments, int exit_code = 0) {
    arguments.insert(arguments.begin(), "net.fb");
    arguments.insert(arguments.end(), {"--report", "page.html"});
    const Finished finished = RunCssrun(arguments);
    EXPECT_EQ(finished.exit_code, exit_code) << finished.err;
    std::string page = Contents(folder_ / "page.html");
    ExpectSound(page);
    return page;
  }

  // Expects a page that is well-formed and self-contained, has no script, and shows no NaN.
  void ExpectSound(const std::string& page) {
    const Finished parsed =
        RunProgram({"/bin/sh", "-c", "xmllint --nonet --noout -"}, {.input = page});
    EXPECT_EQ(parsed.exit_code, 0) << parsed.err;
    EXPECT_TRUE(page.starts_with("<!DOCTYPE html>"));
    EXPECT_TRUE(page.ends_with("</html>\n"));
    EXPECT_FALSE(
        std::regex_search(page, std::regex("<(script|link|iframe|object|embed|base|form)\\b")));
    EXPECT_FALSE(std::regex_search(page, std::regex("<[^>]*\\son[a-z]+=")));
    EXPECT_FALSE(Contains(page, "http://") || Contains(page, "https://"));
    EXPECT_FALSE(Contains(page, "url(") || Contains(page, "@import"));
    const std::regex reference("(src|href)=\"([^\"]{0,16})");
    for (std::sregex_iterator source(page.begin(), page.end(), reference), end; source != end;
         ++source) {
      EXPECT_EQ((*source)[2].str(), "data:image/jpeg;") << (*source)[0];
    }
    EXPECT_FALSE(std::regex_search(page, std::regex("[>\" ,(-](nan|inf)[<\" ,)%]")));
    EXPECT_TRUE(Contains(page, "name=\"viewport\""));
    EXPECT_TRUE(Contains(page, "prefers-color-scheme: dark"));
  }
};

size_t CountOf(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST_F(ReportTest, HasEveryPart) {
  WriteSet();
  const std::string page = Page({"set"});
  for (const char* id : {"accuracy", "hardest", "layers", "steps", "energy", "neurons"}) {
    EXPECT_TRUE(Contains(page, std::string("<section id=\"") + id + "\">")) << id;
  }
  EXPECT_FALSE(Contains(page, "id=\"failed\""));
  EXPECT_EQ(CountOf(page, "<figure class=\"card\">"), 6U);
  // Each card has its picture, and the image that is shown in detail has it a second time.
  EXPECT_EQ(CountOf(page, "<img"), 7U);
  for (const char* layer : {"input", "layer0", "layer1", "logits"}) {
    EXPECT_TRUE(Contains(page, std::string("<td class=\"name\">") + layer + "<small>")) << layer;
  }
  EXPECT_EQ(CountOf(page, "aria-label=\"spike raster\""), 1U);
  EXPECT_GE(CountOf(page, "aria-label=\"potential of one neuron\""), 2U);

  // The page must show the figures of the summary.
  const Finished finished = RunCssrun({"net.fb", "set", "--steps"});
  const std::string text = finished.err;
  std::smatch top1;
  ASSERT_TRUE(std::regex_search(text, top1, std::regex("top-1 ([0-9.]+) %.* of 5 images")));
  std::smatch shown;
  ASSERT_TRUE(
      std::regex_search(page, shown, std::regex("([0-9]+) of 5 images with a known class")));
  EXPECT_NEAR(std::stod(top1[1]), std::stod(shown[1]) * 20, 0.01);
  // The matrix counts each of the five images once.
  double sum = 0;
  const std::string matrix = page.substr(page.find("<table class=\"matrix\">"));
  const std::regex cell("<td style=\"[^\"]*\">([0-9]+)</td>");
  for (std::sregex_iterator found(matrix.begin(), matrix.end(), cell), end; found != end; ++found) {
    sum += std::stod((*found)[1]);
  }
  EXPECT_EQ(sum, 5);
}

TEST_F(ReportTest, ResultsAreThoseWithoutReport) {
  WriteSet();
  const Finished plain = RunCssrun({"net.fb", "set", "--format", "jsonl"});
  const Finished reported =
      RunCssrun({"net.fb", "set", "--format", "jsonl", "--report", "page.html"});
  EXPECT_EQ(reported.out, plain.out);
  EXPECT_EQ(Lines(reported.err).size(), Lines(plain.err).size());
}

TEST_F(ReportTest, WithoutTruthThereIsNoAccuracy) {
  WriteImage("a.png", 1);
  const std::string page = Page({"a.png"});
  EXPECT_FALSE(Contains(page, "id=\"accuracy\""));
  EXPECT_FALSE(Contains(page, "Top-1"));
  EXPECT_FALSE(Contains(page, "top-1 accuracy"));
  EXPECT_EQ(CountOf(page, "<figure class=\"card\">"), 1U);
  EXPECT_TRUE(Contains(page, "id=\"neurons\""));
}

TEST_F(ReportTest, NamesAndLabelsAreText) {
  const std::vector<std::string> labels = {
      "<script>alert(1)</script>", "\" onload=\"x", "a&b'", "\x1b[31m\xff", "</style>", "ok"};
  format::NetworkT network = SmallNetwork(labels);
  network.nodes[1]->name = "<img src=x onerror=y>\x07\xc3";
  WriteNetwork("net.fb", network);
  WriteImage("ok/<script>alert('x')</script>.png", 1);
  WriteImage("ok/\" onerror=\"alert(1).png", 2);
  WriteImage("a&b'/new\nline\x1b[2J.png", 3);
  WriteImage("a&b'/\xff\xfe.png", 4);
  folder_.Write("ok/<b>broken</b>\xc0.png", "no image");
  const std::string page = Page({"."}, 1);
  EXPECT_FALSE(Contains(page, "<script"));
  EXPECT_FALSE(Contains(page, "<b>broken"));
  EXPECT_FALSE(Contains(page, "<img src=x"));
  EXPECT_TRUE(Contains(page, "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;.png"));
  EXPECT_TRUE(Contains(page, "&quot; onerror=&quot;alert(1).png"));
  EXPECT_TRUE(Contains(page, "new\\x0aline\\x1b[2J.png"));
  EXPECT_TRUE(Contains(page, "\\xff\\xfe.png"));
  EXPECT_TRUE(Contains(page, "&lt;b&gt;broken&lt;/b&gt;\\xc0.png"));
  // The pictures must be found even so.
  EXPECT_EQ(CountOf(page, "<img"), 5U);
}

TEST_F(ReportTest, FailedImagesAreListed) {
  WriteSet();
  folder_.Write("set/ant/broken.png", "no image");
  const std::string page = Page({"set"}, 1);
  EXPECT_TRUE(Contains(page, "<section id=\"failed\">"));
  EXPECT_TRUE(Contains(page, "set/ant/broken.png: "));
  // A run in which every image fails gets a report, too.
  const std::string nothing = Page({"set/ant/broken.png"}, 1);
  EXPECT_TRUE(Contains(nothing, "<section id=\"failed\">"));
  EXPECT_FALSE(Contains(nothing, "id=\"hardest\""));
  EXPECT_FALSE(Contains(nothing, "id=\"neurons\""));
}

TEST_F(ReportTest, ManyClassesShowTheMostConfused) {
  std::vector<std::string> labels;
  labels.reserve(1000);
  for (int i = 0; i < 1000; ++i) labels.push_back("class " + std::to_string(i));
  WriteNetwork("net.fb", SmallNetwork(labels));
  for (uint32_t i = 0; i < 6; ++i) WriteImage("set/class 9/" + std::to_string(i) + ".png", i);
  const std::string page = Page({"set"});
  EXPECT_FALSE(Contains(page, "class=\"matrix\""));
  EXPECT_TRUE(Contains(page, "Most confused"));
  EXPECT_TRUE(Contains(page, "Classes with the lowest accuracy"));
  EXPECT_LT(page.size(), 200'000U);
}

TEST_F(ReportTest, ChosenNeurons) {
  WriteImage("a.png", 1);
  const std::string page = Page({"--neuron", "layer1:11", "--neuron", "1:2", "a.png"});
  EXPECT_TRUE(Contains(page, "<b>layer1</b>, neuron 11<"));
  EXPECT_TRUE(Contains(page, "<b>layer0</b>, neuron 2<"));
  EXPECT_EQ(CountOf(page, "aria-label=\"potential of one neuron\""), 2U);
  ExpectRefusal(RunCssrun({"net.fb", "a.png", "--neuron", "1:2"}), 2, "--report");
  ExpectRefusal(RunCssrun({"net.fb", "a.png", "--report", "x", "--neuron", "9:9"}), 2, "9:9");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "x"));
}

TEST_F(ReportTest, WithEarlyExitThereAreNoLaterSteps) {
  WriteSet();
  const std::string page = Page({"set", "--early-exit", "0"});
  EXPECT_FALSE(Contains(page, "id=\"steps\""));
  EXPECT_TRUE(Contains(page, "id=\"energy\""));
}

TEST_F(ReportTest, InEveryEngineAndInTheLatencyMode) {
  WriteSet();
  EXPECT_TRUE(Contains(Page({"set", "--engine", "float"}), "float engine"));
  EXPECT_TRUE(Contains(Page({"set", "--latency"}), "integer engine"));
}

// CliTest has the files of which this is known before the run.
TEST_F(ReportTest, APageThatDoesNotFitIsAnIoError) {
  WriteImage("a.png", 1);
  const Finished finished = RunCssrun({"net.fb", "a.png", "--report", "/dev/full"});
  EXPECT_EQ(finished.exit_code, 4);
  EXPECT_TRUE(Contains(finished.out, "a.png")) << "the results are there all the same";
  EXPECT_TRUE(Contains(finished.err, "/dev/full: ")) << finished.err;
}

}  // namespace
}  // namespace cssrun::tools
