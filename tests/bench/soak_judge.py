"""What of a long run stayed flat: a straight line through what was measured, row by row."""
import collections

WINDOW_DAYS = 0.5

Row = collections.namedtuple("Row", "name unit share least points")


def every(points):
    return points


def least(points):
    """The lowest of each window: what it comes back to."""
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


# By how much the line may rise over the days that are judged: by this share of the mean, or by
# this much where that is more. Of memory the least of each half day counts: an answer of 64 MB is
# no leak. Files of a database have room for the most there ever was, which is more now and then,
# and how much is logged of a busy machine hangs on how busy it is.
ROWS = (
    Row("resident memory", "kB", 0.02, 1024, least),
    Row("descriptors", "", 0, 1, every),
    Row("threads", "", 0, 0.5, every),
    Row("database", "kB", 0.05, 0, every),
    Row("its files", "kB", 0.25, 0, every),
    Row("log a day", "kB", 0.25, 0, day_by_day),
)


def line(points):
    """Least squares through (day, value): what is added a day, and the mean."""
    days = [day for day, _ in points]
    values = [value for _, value in points]
    middle, mean = sum(days) / len(days), sum(values) / len(values)
    spread = sum((day - middle) ** 2 for day in days)
    return sum((day - middle) * (value - mean) for day, value in points) / spread, mean


def judge(samples, warm_days):
    """samples: {row name: [(day, value)]}, of the log all its bytes. Prints a line a row; whether
    all is flat after the days that warm up."""
    flat = True
    for row in ROWS:
        points = row.points([point for point in samples[row.name] if point[0] >= warm_days])
        if len(points) < 3:
            print(f"{row.name:16} too few days", flush=True)
            continue
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
