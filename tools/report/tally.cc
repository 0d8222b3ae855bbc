#include "tools/report/tally.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <tuple>
#include <utility>

namespace cssrun::tools {
namespace {

size_t BestBut(const std::vector<float>& logits, size_t without) {
  size_t best = without == 0 ? 1 : 0;
  for (size_t i = best + 1; i < logits.size(); ++i) {
    if (i != without && GoesBefore(logits, i, best)) best = i;
  }
  return best;
}

// Returns the lead of `winner`: infinite if there is only one class. An image with NaN logits
// counts as the hardest.
double LeadOf(const std::vector<float>& logits, size_t winner) {
  if (logits.size() < 2) return std::numeric_limits<double>::infinity();
  const double lead =
      static_cast<double>(logits[winner]) - static_cast<double>(logits[BestBut(logits, winner)]);
  return std::isnan(lead) ? -std::numeric_limits<double>::infinity() : lead;
}

}  // namespace

Tally::Tally(std::vector<std::string> labels, size_t classes)
    : labels_(std::move(labels)), classes_(classes) {}

void Tally::Add(const ImageFile& file, const ImageOutcome& outcome) {
  if (!outcome.status.ok()) {
    ++failed_;
    if (failures_.size() < kFailures) failures_.push_back(outcome.status.message());
    return;
  }
  const std::vector<float>& logits = outcome.answer.logits;
  const size_t best = BestBut(logits, logits.size());
  Count(file.truth, best);
  AddHard(file, logits, best);
}

void Tally::AddEarlier(const EarlierResult& result) {
  if (!result.failed) Count(result.truth, result.best);
}

void Tally::Count(int truth, size_t answer) {
  if (truth == kUnknownTruth) return;
  const auto index = static_cast<size_t>(truth);
  ++classes_[index].images;
  if (answer == index) {
    ++classes_[index].right;
  } else {
    ++mistakes_[index * classes_.size() + answer];
  }
}

void Tally::AddHard(const ImageFile& file, const std::vector<float>& logits, size_t best) {
  const bool graded = file.truth != kUnknownTruth;
  const double lead = LeadOf(logits, graded ? static_cast<size_t>(file.truth) : best);
  if (hardest_.size() == kHardest) {
    if (lead >= hardest_.rbegin()->first) return;
    hardest_.erase(std::prev(hardest_.end()));
  }
  constexpr size_t kGuesses = 3;
  HardImage image{file.path, file.truth, lead, BestGuesses(logits, labels_, kGuesses)};
  const auto is_truth = [&](const Guess& guess) {
    return guess.index == static_cast<size_t>(file.truth);
  };
  if (graded && std::ranges::none_of(image.guesses, is_truth)) {
    const std::vector<Guess> all = BestGuesses(logits, labels_, logits.size());
    image.guesses.push_back(*std::ranges::find_if(all, is_truth));
  }
  hardest_.emplace(lead, std::move(image));
}

uint64_t Tally::CountOf(size_t truth, size_t answer) const {
  if (truth == answer) return classes_[truth].right;
  const auto found = mistakes_.find(truth * classes_.size() + answer);
  return found == mistakes_.end() ? 0 : found->second;
}

std::vector<Confusion> Tally::MostConfused(size_t count) const {
  std::vector<Confusion> all;
  all.reserve(mistakes_.size());
  for (const auto& [pair, times] : mistakes_) {
    all.push_back({static_cast<size_t>(pair / classes_.size()),
                   static_cast<size_t>(pair % classes_.size()), times});
  }
  std::ranges::sort(all, {}, [](const Confusion& confusion) {
    return std::tuple(~confusion.count, confusion.truth, confusion.answer);
  });
  if (all.size() > count) all.resize(count);
  return all;
}

std::vector<HardImage> Tally::Hardest() const {
  std::vector<HardImage> images;
  for (const auto& [lead, image] : hardest_) images.push_back(image);
  return images;
}

std::string Tally::LabelOf(size_t index) const {
  return labels_.empty() ? std::to_string(index) : labels_[index];
}

}  // namespace cssrun::tools
