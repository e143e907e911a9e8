"""The most memory this process has held, in MB. Not ru_maxrss: that begins with what the parent held when it started it."""


def peak_rss_mb():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM:"))
