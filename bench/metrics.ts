/** Sums of a node's metrics over all labels, by name. */
export type MetricSums = ReadonlyMap<string, number>;

/** Reads the Prometheus text format, as far as plain samples go. */
export function parseMetrics(text: string): MetricSums {
  const sums = new Map<string, number>();
  for (const line of text.split("\n")) {
    const [, name, value] = /^([a-zA-Z_:][\w:]*)(?:\{.*\})? (\S+)$/.exec(line) ?? [];
    if (name === undefined || name.endsWith("_bucket")) continue;
    sums.set(name, (sums.get(name) ?? 0) + Number(value));
  }
  return sums;
}

export async function readMetrics(origin: string): Promise<MetricSums> {
  const response = await fetch(`${origin}/metrics`);
  if (!response.ok) throw new Error(`${origin}/metrics answered ${response.status}`);
  return parseMetrics(await response.text());
}

function growth(before: MetricSums, after: MetricSums, name: string): number {
  return (after.get(name) ?? 0) - (before.get(name) ?? 0);
}

export interface Sharing {
  /** Commands that shared one log entry, on average; undefined if the node packed none. */
  readonly commandsPerEntry: number | undefined;
  /** Entries that shared one synced write, on average. */
  readonly entriesPerSync: number | undefined;
}

/** How well draws shared writes between two readings of the leader's metrics. */
export function sharing(before: MetricSums, after: MetricSums): Sharing {
  const mean = (histogram: string): number | undefined => {
    const count = growth(before, after, `${histogram}_count`);
    return count === 0 ? undefined : growth(before, after, `${histogram}_sum`) / count;
  };
  return {
    commandsPerEntry: mean("raft_commands_per_entry"),
    entriesPerSync: mean("storage_log_entries_per_write"),
  };
}
