"""What of a long run stayed flat: a straight line through what was measured, row by row."""
import collections

WINDOW_DAYS = 0.5

Row = collections.namedtuple("Row", "name unit share least")

# By how much the line may rise over the days that are judged: by this share of the mean, or by
# this much where that is more. A level is what it comes back to, the least of each half day: an
# answer of 64 MB is no leak. What a day adds to the log is judged day by day.
LEVELS = (
    Row("resident memory", "kB", 0.02, 1024),
    Row("descriptors", "", 0, 1),
    Row("threads", "", 0, 0.5),
    Row("database", "kB", 0.05, 0),
)
RATES = (
    Row("log a day", "kB", 0.1, 0),
)


def line(points):
    """Least squares through (day, value): what is added a day, and the mean."""
    days = [day for day, _ in points]
    values = [value for _, value in points]
    middle, mean = sum(days) / len(days), sum(values) / len(values)
    spread = sum((day - middle) ** 2 for day in days)
    return sum((day - middle) * (value - mean) for day, value in points) / spread, mean


def least(points):
    """The lowest of each window."""
    found = {}
    for day, value in points:
        window = day // WINDOW_DAYS
        found[window] = min(found.get(window, (day, value)), (day, value), key=lambda p: p[1])
    return list(found.values())


def day_by_day(points):
    """How much each whole day added, at the day's end."""
    added, start = [], points[0]
    for point in points:
        if point[0] - start[0] >= 1:
            added.append((point[0], (point[1] - start[1]) / (point[0] - start[0])))
            start = point
    return added


def judge(samples, warm_days):
    """samples: {row name: [(day, value)]}, of the log all its bytes. Prints a line a row; whether
    all is flat after the days that warm up."""
    flat = True
    for row in LEVELS + RATES:
        points = [point for point in samples[row.name] if point[0] >= warm_days]
        points = day_by_day(points) if row in RATES else least(points)
        slope, mean = line(points)
        rise = slope * (points[-1][0] - points[0][0])
        most = max(row.share * mean, row.least)
        values = [value for _, value in points]
        verdict = "flat" if rise <= most else "RISES"
        flat = flat and rise <= most
        print(f"{row.name:16} mean {mean:10.1f} {row.unit:2}  from {min(values):10.1f} to "
              f"{max(values):10.1f}  a day {slope:+9.2f}  in all {rise:+9.1f}, at most {most:8.1f}"
              f"  {verdict}", flush=True)
    return flat
