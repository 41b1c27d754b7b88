import { readFileSync } from "node:fs";

/** A node has this many callers at most, however many descriptors it may have: each costs memory, too. */
const CONNECTIONS_MAX = 10_000;
/** Where the system does not tell its limit. */
const CONNECTIONS_MAX_UNTOLD = 1000;
/** Of the descriptors that callers at REST may take. */
const SHARE = 1 / 2;

/**
 * How many connections the REST port may have at once. An open connection takes a file descriptor, and without one left
 * the next file that LevelDB begins fails, which ends the node. Source: the process's soft limit of descriptors, which
 * Node raises to the hard one as it starts; Node offers no getrlimit, but Linux tells it in /proc/self/limits.
 */
export function connectionsMax(): number {
  return connectionsMaxOf(descriptorLimit());
}

/**
 * The other half is for the stores and for what is not limited here: LevelDB itself keeps tables open by at most a fifth
 * of all descriptors (beyond the first thousand tables, which it maps), gRPC and the peers need theirs.
 *
 * @param limit descriptors that the process may have open; undefined: not known
 */
export function connectionsMaxOf(limit: number | undefined): number {
  if (limit === undefined) return CONNECTIONS_MAX_UNTOLD;
  return Math.min(CONNECTIONS_MAX, Math.max(1, Math.floor(limit * SHARE)));
}

function descriptorLimit(): number | undefined {
  let table: string;
  try {
    table = readFileSync("/proc/self/limits", "utf8");
  } catch {
    // Not Linux, or a /proc that is hidden.
    return undefined;
  }
  return descriptorLimitIn(table);
}

/** @param table as Linux gives it in /proc/self/limits: name, soft limit, hard limit, unit */
export function descriptorLimitIn(table: string): number | undefined {
  const soft = /^Max open files +(\d+|unlimited) /m.exec(table)?.[1];
  if (soft === undefined) return undefined;
  return soft === "unlimited" ? Number.POSITIVE_INFINITY : Number(soft);
}
