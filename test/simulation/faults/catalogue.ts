import { ALL_CLOCKS_LEAP } from "./all-clocks-leap.js";
import { CLOCK_JUMP } from "./clock-jump.js";
import { CRASH } from "./crash.js";
import { CRASH_ALL } from "./crash-all.js";
import { CUT_TRANSFERS } from "./cut-transfers.js";
import { DAMAGED_DISK } from "./damaged-disk.js";
import { DYING_INSTALL } from "./dying-install.js";
import { FAILING_WRITES } from "./failing-writes.js";
import type { FaultKind } from "./fault-kind.js";
import { GROW } from "./grow.js";
import { LIMPING_LEADER } from "./limping-leader.js";
import { LONELY_LEADER } from "./lonely-leader.js";
import { MUTE_SUCCESSOR } from "./mute-successor.js";
import { PARTITION } from "./partition.js";
import { PAUSE } from "./pause.js";
import { READMIT } from "./readmit.js";
import { REJOIN } from "./rejoin.js";
import { RESTART } from "./restart.js";
import { ROUGH_LINKS } from "./rough-links.js";
import { SHRINK } from "./shrink.js";
import { SLOW_DISK } from "./slow-disk.js";
import { TRANSFER } from "./transfer.js";

/** Every kind of fault; a new one is a file and a line. */
export const FAULTS: readonly FaultKind[] = [
  CRASH,
  CRASH_ALL,
  RESTART,
  PARTITION,
  LIMPING_LEADER,
  LONELY_LEADER,
  ROUGH_LINKS,
  PAUSE,
  CLOCK_JUMP,
  ALL_CLOCKS_LEAP,
  FAILING_WRITES,
  SLOW_DISK,
  TRANSFER,
  MUTE_SUCCESSOR,
  DAMAGED_DISK,
  CUT_TRANSFERS,
  DYING_INSTALL,
  GROW,
  SHRINK,
  REJOIN,
  READMIT,
];

export function faultNamed(name: string): FaultKind {
  const kind = FAULTS.find((fault) => fault.name === name);
  if (kind === undefined) throw new Error(`there is no fault ${name}`);
  return kind;
}
