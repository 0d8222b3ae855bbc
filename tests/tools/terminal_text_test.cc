// Tests that printed text cannot control a terminal, whatever a name contains.
#include "tools/terminal_text.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>

namespace cssrun::tools {
namespace {

using std::string_literals::operator""s;  // NOLINT(misc-unused-using-decls): it is used

TEST(TerminalTextTest, KeepsOrdinaryText) {
  EXPECT_EQ(TerminalText(""), "");
  EXPECT_EQ(TerminalText("a b/c-1.PNG \\ \"~"), "a b/c-1.PNG \\ \"~");
  EXPECT_EQ(TerminalText("Überprüfung \u732b \U0001F408"), "Überprüfung \u732b \U0001F408");
}

TEST(TerminalTextTest, EscapesControlCharacters) {
  EXPECT_EQ(TerminalText("\x1b]0;owned\x07"), "\\x1b]0;owned\\x07");
  EXPECT_EQ(TerminalText("a\nb\rc\td\x7f"), "a\\x0ab\\x0dc\\x09d\\x7f");
  EXPECT_EQ(TerminalText("a\0b"s), "a\\x00b");
  // Tests the eight-bit controls, of which 0x9b starts a terminal command like ESC [.
  EXPECT_EQ(TerminalText("\u009b31m"), "\\xc2\\x9b31m");
}

TEST(TerminalTextTest, EscapesWhatReordersText) {
  // NOLINTNEXTLINE(misc-misleading-bidirectional)
  EXPECT_EQ(TerminalText("cat\u202egnp.exe"), "cat\\xe2\\x80\\xaegnp.exe");
  EXPECT_EQ(TerminalText("\u2066x\u2069"), "\\xe2\\x81\\xa6x\\xe2\\x81\\xa9");
}

TEST(TerminalTextTest, EscapesWhatIsNotUtf8) {
  EXPECT_EQ(TerminalText("\xff\xfe"), "\\xff\\xfe");
  EXPECT_EQ(TerminalText("\x80 lone"), "\\x80 lone");
  EXPECT_EQ(TerminalText("\xc0\x80 overlong"), "\\xc0\\x80 overlong");
  EXPECT_EQ(TerminalText("\xe0\x80\x9b"), "\\xe0\\x80\\x9b");
  EXPECT_EQ(TerminalText("\xf0\x80\x80\x9b"), "\\xf0\\x80\\x80\\x9b");
  EXPECT_EQ(TerminalText("\xed\xa0\x80 surrogate"), "\\xed\\xa0\\x80 surrogate");
  EXPECT_EQ(TerminalText("\xf4\x90\x80\x80 too large"), "\\xf4\\x90\\x80\\x80 too large");
  EXPECT_EQ(TerminalText("cut \xe7\x8c"), "cut \\xe7\\x8c");
  // A broken sequence must not swallow the text behind it.
  EXPECT_EQ(TerminalText("\xe7ok"), "\\xe7ok");
}

TEST(TerminalTextTest, KeepsLinesOnRequestOnly) {
  EXPECT_EQ(TerminalText("a\nb\x1b\r", true), "a\nb\\x1b\\x0d");
  EXPECT_EQ(TerminalText("a\nb"), "a\\x0ab");
}

TEST(TerminalTextTest, RandomBytesBecomeSafeText) {
  std::mt19937 generator(7);
  std::uniform_int_distribution<int> byte(0, 255);
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    for (int i = 0; i < 24; ++i) text += static_cast<char>(byte(generator));
    const std::string safe = TerminalText(text);
    for (const char c : safe) {
      const auto code = static_cast<uint8_t>(c);
      EXPECT_TRUE(code >= 0x20 && code != 0x7F);
    }
    // Safe text stays as it is, because nothing in it needs escaping.
    EXPECT_EQ(TerminalText(safe), safe);
  }
}

// Tests characters that JSON leaves as they are and a terminal would obey; the JSON keeps its
// meaning.
TEST(TerminalTextTest, JsonKeepsItsMeaning) {
  EXPECT_EQ(TerminalJson("{\"a\": \"caf\xC3\xA9 \xE2\x82\xAC\"}"),
            "{\"a\": \"caf\xC3\xA9 \xE2\x82\xAC\"}");
  EXPECT_EQ(TerminalJson("\"\x7F\""), "\"\\u007f\"");
  EXPECT_EQ(TerminalJson("\"\xC2\x80\xC2\x9B\xC2\x9F\xC2\xA0\""),
            "\"\\u0080\\u009b\\u009f\xC2\xA0\"");
  // NOLINTNEXTLINE(misc-misleading-bidirectional)
  EXPECT_EQ(TerminalJson("\"\xE2\x80\xAA\xE2\x80\xAE\xE2\x81\xA6\xE2\x81\xA9\""),
            "\"\\u202a\\u202e\\u2066\\u2069\"");
  // Tests neighbouring characters that are harmless, and truncated sequences.
  EXPECT_EQ(TerminalJson("\xE2\x80\xA9\xE2\x80\xAF\xE2\x81\xA5"),
            "\xE2\x80\xA9\xE2\x80\xAF\xE2\x81\xA5");
  EXPECT_EQ(TerminalJson("\xC2"), "\xC2");
  EXPECT_EQ(TerminalJson("\xE2\x80"), "\xE2\x80");
}

}  // namespace
}  // namespace cssrun::tools
