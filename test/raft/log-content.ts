import { invariant } from "../../src/assert.js";
import type { Configuration, Entry, LogIndex, LogWrite, Position } from "../../src/raft/types.js";

/** A log as a list, with bodies. Entries are shared by reference: the same entry is the same object everywhere. */
export interface LogContent {
  base: Position;
  baseConfiguration: Configuration;
  /** entries[i] has index base.index + 1 + i. */
  entries: Entry[];
}

export function emptyLog(baseConfiguration: Configuration): LogContent {
  return { base: { index: 0, term: 0 }, baseConfiguration, entries: [] };
}

export function entryAt({ base, entries }: LogContent, index: LogIndex): Entry | undefined {
  return entries[index - base.index - 1];
}

export function lastIndexOf({ base, entries }: LogContent): LogIndex {
  return base.index + entries.length;
}

/** Undefined outside of base … last. */
export function positionAt(log: LogContent, index: LogIndex): Position | undefined {
  const found = index === log.base.index ? log.base : entryAt(log, index);
  return found === undefined ? undefined : { index, term: found.term };
}

export function configurationAt({ baseConfiguration, entries }: LogContent, index: LogIndex): Configuration {
  let found = baseConfiguration;
  for (const entry of entries) {
    if (entry.index <= index && entry.body.kind === "configuration") found = entry.body.configuration;
  }
  return found;
}

/** An entry joins the log; it replaces the one at its index and all that follow. */
export function put(log: LogContent, entry: Entry): void {
  invariant(entry.index > log.base.index && entry.index <= lastIndexOf(log) + 1, `entry ${entry.index} has its place`);
  log.entries.length = entry.index - log.base.index - 1;
  log.entries.push(entry);
}

/** The log begins after `position`; what follows is kept only on demand. */
export function cut(log: LogContent, { position, configuration, keepsTail }: NonNullable<LogWrite["base"]>): void {
  const { index } = position;
  invariant(index > log.base.index, "a base only goes forward");
  const first = entryAt(log, index);
  if (keepsTail && first !== undefined) invariant(first.term === position.term, "a tail follows the very entry");
  log.entries = keepsTail ? log.entries.filter((entry) => entry.index > index) : [];
  log.base = position;
  log.baseConfiguration = configuration;
}

/** What a disk does: in this order, all or nothing. */
export function apply(log: LogContent, { truncateFrom, base, entries }: LogWrite): void {
  if (truncateFrom !== undefined) {
    invariant(truncateFrom > log.base.index && truncateFrom <= lastIndexOf(log), `${truncateFrom} can be truncated`);
    log.entries.length = truncateFrom - log.base.index - 1;
  }
  if (base !== undefined) cut(log, base);
  for (const entry of entries) {
    invariant(entry.index === lastIndexOf(log) + 1, `entry ${entry.index} follows ${lastIndexOf(log)} on disk`);
    put(log, entry);
  }
}
