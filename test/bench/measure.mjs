/**
 * Runs `job` once apart (the first call pays for compilation), then `runs` times, and gives the row of a benchmark:
 * medians of CPU and wall seconds, and the resident memory afterwards.
 */
export async function measure(name, n, job, { runs = 5, note } = {}) {
  const timed = async () => {
    const cpu = process.cpuUsage();
    const wall = performance.now();
    await job();
    const { user, system } = process.cpuUsage(cpu);
    return { cpu: (user + system) / 1e6, wall: (performance.now() - wall) / 1000 };
  };
  const first = await timed();
  const times = [];
  for (let run = 0; run < runs; run += 1) times.push(await timed());
  return {
    name,
    n,
    cpuSeconds: median(times.map(({ cpu }) => cpu)),
    wallSeconds: median(times.map(({ wall }) => wall)),
    firstWallSeconds: first.wall,
    rssMB: Math.round(process.memoryUsage.rss() / 2 ** 20),
    ...(note && { note }),
  };
}

/** The middle value, or the mean of the two middle ones. */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length % 2 === 1 ? sorted[Math.floor(middle)] : (sorted[middle - 1] + sorted[middle]) / 2;
}
