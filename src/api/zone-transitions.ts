import { invariant } from "../assert.js";
import type { ZoneTransition } from "../sequence/definition.js";
import { invalidField } from "./problem.js";

/**
 * A time zone as data: apply derives periods from this table and never asks the platform, whose
 * time-zone data differs from node to node.
 */
export interface ExpandedZone {
  /** The name as it is written in the database where the given one differs in case only. */
  readonly timeZone: string;
  /** Ascending, from 1970 to 2100; empty for a zone that always was UTC. */
  readonly zoneTransitions: readonly ZoneTransition[];
}

const END_MS = Date.UTC(2101, 0, 1);
/**
 * Two changes within one stride could cancel each other and be missed. The closest pair since 1970
 * is 6.96 days apart (America/Boa_Vista in October 2000; found by sampling all zones day by day).
 */
const STRIDE_MS = 4 * 24 * 60 * 60 * 1000;
const SECOND_MS = 1000;
const SHOWN = /^(\d+)\/(\d+)\/(\d+), (\d+):(\d+):(\d+)$/;

/**
 * Expands an IANA zone through Intl; exact to the second, some 30 ms of work.
 * @throws Problem VALIDATION_ERROR on time_zone for a zone that the platform does not know
 */
export function expandZone(name: string): ExpandedZone {
  const format = zoneFormat(name);
  const resolved = format.resolvedOptions().timeZone;
  const timeZone = resolved.toLowerCase() === name.toLowerCase() ? resolved : name;
  if (resolved === "UTC") return { timeZone, zoneTransitions: [] };
  const offsetAt = (time: number): number => offsetSeconds(format, time);
  const zoneTransitions: ZoneTransition[] = [];
  let offset = offsetAt(0);
  if (offset !== 0) zoneTransitions.push({ from: 0, offsetSeconds: offset });
  for (let from = 0; from < END_MS; ) {
    const to = Math.min(from + STRIDE_MS, END_MS);
    if (offsetAt(to) === offset) {
      from = to;
      continue;
    }
    from = firstChange(offsetAt, from, to);
    offset = offsetAt(from);
    zoneTransitions.push({ from, offsetSeconds: offset });
  }
  return { timeZone, zoneTransitions };
}

/** The first whole second in (from, to] at which the offset is no longer that of `from`. */
function firstChange(offsetAt: (time: number) => number, from: number, to: number): number {
  const before = offsetAt(from);
  let unchanged = from;
  let changed = to;
  while (changed - unchanged > SECOND_MS) {
    const middle = unchanged + Math.floor((changed - unchanged) / (2 * SECOND_MS)) * SECOND_MS;
    if (offsetAt(middle) === before) unchanged = middle;
    else changed = middle;
  }
  return changed;
}

function zoneFormat(timeZone: string): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat("en-US", {
      timeZone,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw invalidField("time_zone", "the name of a time zone that this node knows, such as Europe/Berlin");
  }
}

function offsetSeconds(format: Intl.DateTimeFormat, time: number): number {
  const shown = SHOWN.exec(format.format(time));
  invariant(shown !== null, "Intl shows a time as month/day/year, hour:minute:second");
  const [month, day, year, hour, minute, second] = shown.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  return (Date.UTC(year, month - 1, day, hour, minute, second) - time) / SECOND_MS;
}
