"""The test runner counts what passed, and a binary that dies does not pass for one that did."""

import json

import pytest
import run_tests


def binary(folder, body):
    path = folder / "test_fake"
    path.write_text("#!/bin/bash\n" + body)
    path.chmod(0o755)
    return path


def counts(path):
    tally, _, _ = run_tests.run_binary(path, {"PATH": "/usr/bin:/bin"}, [])
    return tally.passed, tally.failed, tally.skipped


def gtest_report(*tests):
    return json.dumps({"testsuites": [{"testsuite": list(tests)}]})


PASSED = {"name": "A", "status": "RUN", "result": "COMPLETED"}
FAILED = {"name": "B", "status": "RUN", "result": "COMPLETED", "failures": [{"failure": "no"}]}
SKIPPED = {"name": "C", "status": "RUN", "result": "SKIPPED", "skipped": [{"message": "a_test.cpp:7\nno such disk\n"}]}
DISABLED = {"name": "D", "status": "NOTRUN", "result": "SUPPRESSED"}


def test_a_report_is_counted():
    tally = run_tests.read_gtest(gtest_report(PASSED, PASSED, FAILED, SKIPPED, DISABLED))
    assert str(tally) == "2 passed, 1 failed, 1 skipped"


def test_the_reason_of_a_skip_may_stand_in_the_output_alone():
    skipped = {"name": "C", "status": "RUN", "result": "SKIPPED"}
    silent = {"name": "D", "status": "RUN", "result": "SKIPPED"}
    report = json.dumps({"testsuites": [{"name": "S", "testsuite": [skipped, silent]}]})
    tally = run_tests.read_gtest(report, """[ RUN      ] S.C
this CPU has no idea
src/a_test.cpp:7: Skipped
this CPU has no tiles
[  SKIPPED ] S.C (0 ms)
[ RUN      ] S.D
this CPU has no idea
[  SKIPPED ] S.D (0 ms)
""")
    assert tally.skips == [("S.C", "this CPU has no tiles"), ("S.D", "no reason is reported")]
    assert tally.forbid_skips() == [("S.D", "no reason is reported")]


@pytest.mark.parametrize("end, failed", [("exit 0", 0), ("exit 1", 1), ("kill -SEGV $$", 1)])
def test_a_whole_report_with_a_bad_end_is_one_failure_more(tmp_path, end, failed):
    path = binary(tmp_path, f"""for a in "$@"; do case $a in --gtest_output=json:*)
      echo '{gtest_report(PASSED)}' > "${{a#--gtest_output=json:}}";; esac; done; {end}""")
    assert counts(path) == (1, failed, 0)


def test_a_crash_half_way_keeps_what_had_passed_and_counts_one_failure(tmp_path):
    path = binary(tmp_path, "echo '[       OK ] A.B (0 ms)'; echo '[ RUN      ] A.C'; kill -ABRT $$")
    assert counts(path) == (1, 1, 0)


def test_a_binary_that_says_nothing_fails(tmp_path):
    assert counts(binary(tmp_path, "exit 0")) == (0, 1, 0)


def test_a_junit_report_is_counted():
    tally = run_tests.read_junit('<testsuites><testsuite><testcase name="a"/><testcase name="b"><failure/></testcase>'
                                 '<testcase name="c"><error/></testcase><testcase name="d"><skipped/></testcase>'
                                 "</testsuite></testsuites>")
    assert str(tally) == "1 passed, 2 failed, 1 skipped"


def test_where_skips_are_forbidden_only_what_the_cpu_lacks_may_be_skipped():
    tally = run_tests.read_gtest(gtest_report(PASSED, SKIPPED))
    skipped = '<testcase classname="t" name="{}"><skipped message="{}"/></testcase>'
    tally += run_tests.read_junit("<testsuite>" + skipped.format("d", "this CPU has no avx512")
                                  + skipped.format("e", "there is no browser") + "</testsuite>")
    assert tally.skips == [(".C", "no such disk"), ("t::d", "this CPU has no avx512"), ("t::e", "there is no browser")]
    assert tally.forbid_skips() == [(".C", "no such disk"), ("t::e", "there is no browser")]
    assert str(tally) == "1 passed, 2 failed, 1 skipped"
