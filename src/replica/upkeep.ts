import type { DiskGuard } from "./disk-guard.js";
import type { MemberChanges } from "./member-changes.js";
import type { Membership } from "./membership.js";
import type { Clock } from "./ports.js";
import type { Proposals } from "./proposals.js";
import type { Reads } from "./reads.js";
import type { RepeatingTimer } from "./repeating-timer.js";
import type { SkewGuard } from "./skew-guard.js";
import type { SnapshotFetching } from "./snapshot-fetching.js";
import type { SnapshotServing } from "./snapshot-serving.js";
import type { Standing } from "./standing.js";
import type { StatusExchange } from "./status-exchange.js";

/** What has to be looked at now and then: deadlines, retries, clocks, reports. */
export class Upkeep {
  readonly #parts: UpkeepParts;

  constructor(parts: UpkeepParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#parts.timer.start();
  }

  run(): void {
    const { clock, membership, proposals, reads, skew, disk, statuses, standing, wake } = this.#parts;
    const { serving, fetching, changes } = this.#parts;
    const now = clock.monotonic();
    const { core } = membership;
    proposals.housekeep(now, { repeatUnanswered: core !== undefined && core.roleName !== "leader" });
    reads.housekeep(now);
    membership.housekeep(now);
    serving.housekeep(now);
    fetching.housekeep(now);
    if (core === undefined) return;
    changes.readdress(core, now);
    skew.watch(core, { now, wall: clock.wall() });
    disk.watch(core, now);
    statuses.tellAllIfDue(now, core, standing.selfReport());
    wake();
  }
}

export interface UpkeepParts {
  readonly membership: Membership;
  readonly proposals: Proposals;
  readonly reads: Reads;
  readonly skew: SkewGuard;
  readonly disk: DiskGuard;
  readonly statuses: StatusExchange;
  readonly standing: Standing;
  readonly serving: SnapshotServing;
  readonly fetching: SnapshotFetching;
  readonly changes: MemberChanges;
  readonly timer: RepeatingTimer;
  readonly clock: Clock;
  readonly wake: () => void;
}
