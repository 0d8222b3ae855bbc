#!/usr/bin/env python3
"""list_skipped.py on results of its own making: list_skipped_test.py CTEST

The first ones are written by this machine's ctest, so that a change of its format is noticed.
"""

import pathlib
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).parent
CTEST = sys.argv.pop(1)

GTEST = """[ RUN      ] Kernel.Exists
/src/tests/kernel_test.cc:7: Skipped
{reason}

[  SKIPPED ] Kernel.Exists (0 ms)
"""
PYTEST = "SKIPPED [1] test_stubs.py:94: could not import 'mypy'"


class ListSkippedTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.shared = self.folder / "shared"

    def run_tests(self, *tests):
        """ctest on (name, output, skips) each; returns what list_skipped.py says of them."""
        lines = []
        for name, output, skips in tests:
            text = self.folder / f"{name}.txt"
            text.write_text(output)
            lines.append(f'add_test({name} "cat" "{text}")')
            if skips:
                lines.append(f'set_tests_properties({name} PROPERTIES SKIP_REGULAR_EXPRESSION "SKIPPED")')
        (self.folder / "CTestTestfile.cmake").write_text("\n".join(lines))
        results = self.folder / "results.xml"
        subprocess.run([CTEST, "--test-dir", self.folder, "--output-junit", results,
                        "--test-output-size-passed", "20000"], capture_output=True)
        return self.list_skipped(results)

    def list_skipped(self, results):
        return subprocess.run([sys.executable, HERE / "list_skipped.py", results, self.shared], text=True,
                              capture_output=True)

    def test_none(self):
        self.shared.mkdir()
        listed = self.run_tests(("Passes", "fine", True), ("Passes2", "fine", False))
        self.assertEqual((listed.returncode, listed.stdout), (0, "No test was skipped.\n"))

    def test_without_shared_its_absence_is_a_reason(self):
        listed = self.run_tests(("Kernel.Exists", GTEST.format(reason="/src/../shared/a is not there"),
                                 True))
        self.assertEqual(listed.returncode, 0)
        self.assertIn("  Kernel.Exists: /src/../shared/a is not there\n", listed.stdout)

    def test_with_shared_nothing_is_a_reason(self):
        self.shared.mkdir()
        listed = self.run_tests(("Kernel.Exists", GTEST.format(reason="/src/../shared/a is not there"),
                                 True))
        self.assertEqual(listed.returncode, 1)
        self.assertIn("Kernel.Exists", listed.stderr)

    def test_no_other_reason_will_do(self):
        for output, reason in [(GTEST.format(reason="built without\nMPI"), "built without MPI"),
                               (PYTEST, "could not import 'mypy'"),
                               (GTEST.format(reason=""), "no reason is given"),
                               ("SKIPPED", "no reason is given")]:
            listed = self.run_tests(("Fine", "fine", True), ("Skips", output, True))
            self.assertEqual(listed.returncode, 1)
            self.assertIn(f"  Skips: {reason}\n", listed.stdout)
            self.assertIn("1 of 2 tests", listed.stderr)

    def test_a_failure_is_left_to_ctest(self):
        (self.folder / "CTestTestfile.cmake").write_text('add_test(Fails "false")')
        results = self.folder / "results.xml"
        subprocess.run([CTEST, "--test-dir", self.folder, "--output-junit", results],
                       capture_output=True)
        listed = self.list_skipped(results)
        self.assertEqual((listed.returncode, listed.stdout), (0, "No test was skipped.\n"))

    def test_a_disabled_test_and_a_missing_program_are_skipped(self):
        for test in ('add_test(Off "true")\nset_tests_properties(Off PROPERTIES DISABLED TRUE)',
                     'add_test(Off "/no/such/program")'):
            (self.folder / "CTestTestfile.cmake").write_text(test)
            results = self.folder / "results.xml"
            subprocess.run([CTEST, "--test-dir", self.folder, "--output-junit", results],
                           capture_output=True)
            listed = self.list_skipped(results)
            self.assertEqual(listed.returncode, 1, results.read_text())
            self.assertIn("Off", listed.stderr)

    def test_parts_are_listed(self):
        listed = self.run_tests(("Docs.page.md", "fine\nnot run: python torch, no torch\n", False))
        self.assertEqual(listed.returncode, 0)
        self.assertIn("  Docs.page.md: python torch, no torch\n", listed.stdout)

    def test_no_tests_are_an_error(self):
        results = self.folder / "results.xml"
        results.write_text("<testsuite></testsuite>")
        self.assertEqual(self.list_skipped(results).returncode, 1)


if __name__ == "__main__":
    unittest.main()
