"""Random rows of a table of 1 GB and of 8 GB, gathered and updated, against a bare loop over the same rows."""

from _bench import Result, program


def run(quick):
    results = []
    for gigabytes in (8,) if quick else (1, 8):
        for line in program("tables", gigabytes << 22, 64, 2, 2 if quick else 6):
            results.append(Result(f"{line['what']}_{gigabytes}gb", line["gb_per_s"], "GB/s", 2, ratio_to_peak=line["ratio_to_peak"],
                                  peak_rss_mb=line["peak_rss_mb"]))
    return results
