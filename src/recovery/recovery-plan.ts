/** What a recovery was begun with, as far as another run needs it to go on where this one is interrupted. */
export interface RecoveryPlan {
  /**
   * Up to when the survivor knew what was drawn, ms since the epoch. A run that goes on cannot ask the log for it: the
   * newest entry may be one of the interrupted run.
   */
  readonly knownUntil: number;
  /** Slots that every series passes over; 0: none. */
  readonly safetyDistance: number;
}

/** Keeps the plan beside the stores: while it is there, nothing else opens them. */
export interface PlanKeeper {
  /** Of a run that was interrupted; undefined: none was. */
  readonly interrupted: RecoveryPlan | undefined;
  /** Durably, in place of the one that is kept. */
  keep(plan: RecoveryPlan): Promise<void>;
  /** Durably. */
  drop(): Promise<void>;
}

/**
 * Numbers may have been drawn since the interrupted run's survivor knew, and the larger distance is taken: how far the
 * interrupted run came cannot be seen, and a gap that is explained does no harm.
 */
export function continued(plan: RecoveryPlan, interrupted: RecoveryPlan | undefined): RecoveryPlan {
  if (interrupted === undefined) return plan;
  return {
    knownUntil: Math.min(plan.knownUntil, interrupted.knownUntil),
    safetyDistance: Math.max(plan.safetyDistance, interrupted.safetyDistance),
  };
}
