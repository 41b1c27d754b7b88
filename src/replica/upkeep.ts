import type { Life } from "./life.js";
import type { Membership } from "./membership.js";
import type { Clock } from "./ports.js";
import type { Proposals } from "./proposals.js";
import type { Reads } from "./reads.js";
import type { RepeatingTimer } from "./repeating-timer.js";
import type { SkewGuard } from "./skew-guard.js";
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
    const { clock, membership, proposals, reads, skew, statuses, standing, wake } = this.#parts;
    const now = clock.monotonic();
    const { core } = membership;
    proposals.housekeep(now, { repeatUnanswered: core !== undefined && core.roleName !== "leader" });
    reads.housekeep(now);
    if (core === undefined) return;
    skew.watch(core, { now, wall: clock.wall() });
    statuses.tellAllIfDue(now, core, standing.selfReport());
    wake();
  }
}

export interface UpkeepParts {
  readonly life: Life;
  readonly membership: Membership;
  readonly proposals: Proposals;
  readonly reads: Reads;
  readonly skew: SkewGuard;
  readonly statuses: StatusExchange;
  readonly standing: Standing;
  readonly timer: RepeatingTimer;
  readonly clock: Clock;
  readonly wake: () => void;
}
