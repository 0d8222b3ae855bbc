// Writes the inputs of the examples: make_network FOLDER makes FOLDER/net.fb and FOLDER/image.ppm,
// and prints the image's class first on standard output.
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "cssrun/cssrun.h"
#include "format/network_file.h"
#include "tests/oracle/random_network.h"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const std::string folder = argv[1];
  cssrun::format::NetworkT description = cssrun::oracle::ChainNetwork(3, 8, 1.5F, 1);
  description.labels = {"north", "east", "south", "west"};
  const flatbuffers::DetachedBuffer bytes = cssrun::format::SerializeNetwork(description);
  std::ofstream(folder + "/net.fb", std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
  const std::vector<uint8_t> pixels = cssrun::oracle::RandomPixels(description, 1);
  std::ofstream ppm(folder + "/image.ppm", std::ios::binary);
  ppm << "P6\n4 4\n255\n";
  ppm.write(reinterpret_cast<const char*>(pixels.data()),
            static_cast<std::streamsize>(pixels.size()));

  const auto network = cssrun::Network::FromBytes({bytes.data(), bytes.size()}, "network");
  cssrun::Answer answer;
  if (!network.ok() || !cssrun::Session(network.value()).Run(pixels, answer).ok()) return 1;
  const size_t best = answer.best();
  std::printf("%s %.3f\n", description.labels[best].c_str(),
              static_cast<double>(answer.logits[best]));
  return ppm.flush() ? 0 : 1;
}
