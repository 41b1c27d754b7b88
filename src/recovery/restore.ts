import { ReplicatedState } from "../machine/replicated-state.js";
import { SequenceMachine } from "../sequence/machine/sequence-machine.js";
import type { SnapshotHeader } from "../storage/snapshot-header.js";
import type { SnapshotPart } from "../storage/snapshot-stream.js";
import type { StateBuilder, StateRow, StateStore } from "../storage/state-store.js";
import { assertPlausible } from "./known-series.js";
import { goOnAlone, type NewCluster, type RecoveryReport } from "./recover-new-cluster.js";
import { RecoveryRefused, rowsOf, type Stores } from "./stores.js";

export interface RestoreReport extends Omit<RecoveryReport, "before"> {
  /** What the backup is a backup of. */
  readonly backup: SnapshotHeader;
  /** Effective time of the newest entry in the backup, ms since the epoch. */
  readonly time: number;
  readonly rows: number;
  readonly bytes: number;
}

/** Greater than every key of the state. */
const AFTER_ALL_KEYS = "\x7f";

/**
 * Makes a new cluster of one member out of a backup. Sequences go on where the backup ends, or a safety distance further;
 * sessions of the old cluster are closed.
 *
 * One write of the log puts the backup in force, and the skipping follows: stores in which this failed, or was interrupted,
 * are not started from. Whoever made them removes them, or marks them until this has ended.
 *
 * @param stores of a new directory, in which nothing was ever written
 * @param parts of the backup, in order (storage/snapshot-file.ts reads them from a file)
 * @throws RecoveryRefused, SnapshotDamaged and what `parts` throws: nothing of it may be used; StorageFailure when a
 * store fails
 */
export async function restore(
  stores: Stores,
  parts: AsyncIterable<SnapshotPart>,
  cluster: NewCluster,
): Promise<RestoreReport> {
  const { log, state } = stores;
  if (!log.recovery.empty || !(await isEmpty(state))) {
    throw new RecoveryRefused("This directory holds something already: a backup is restored into a new one only.");
  }
  const builder = await beginBuild(state);
  const { header, ...size } = await build(builder, parts).catch(async (error: unknown) => {
    await new Promise<void>((resolve) => builder.abandon(resolve));
    throw error;
  });
  state.adopt(builder);
  const time = checkedTime(state, header);
  if (cluster.safetyDistance > 0) assertPlausible({ from: time, to: cluster.now });
  const { position, configuration, currentTerm } = header;
  const when = new Date(time).toISOString();
  const done = await goOnAlone(stores, cluster, {
    knownUntil: time,
    safetyDistance: cluster.safetyDistance,
    end: position,
    term: Math.max(position.term, currentTerm) + 1,
    base: { position, configuration, keepsTail: false, stateGeneration: builder.generation },
    by: "restore",
    reason: `restored from the backup of cluster ${header.clusterId} as of entry ${position.index} of ${when}`,
  });
  return { backup: header, time, ...size, ...done };
}

async function isEmpty(state: StateStore): Promise<boolean> {
  for await (const _ of rowsOf(state, { gte: "", lt: AFTER_ALL_KEYS })) return false;
  return true;
}

function beginBuild(state: StateStore): Promise<StateBuilder> {
  return new Promise((resolve, reject) => {
    state.build(state.generation + 1, (failure, builder) => {
      if (builder === undefined) reject(failure);
      else resolve(builder);
    });
  });
}

/** Takes the whole backup in, until its end has been seen. */
async function build(
  builder: StateBuilder,
  parts: AsyncIterable<SnapshotPart>,
): Promise<{ header: SnapshotHeader; rows: number; bytes: number }> {
  let header: SnapshotHeader | undefined;
  for await (const part of parts) {
    if (part.kind === "header") {
      header = part.header;
      if (header.configuration.clusterId === "") {
        throw new RecoveryRefused("The backup is of a cluster that never committed anything: start empty instead.");
      }
    } else if (part.kind === "rows") await add(builder, part.rows);
    else if (header !== undefined) {
      await new Promise<void>((resolve, reject) => {
        builder.finish((failure) => (failure === undefined ? resolve() : reject(failure)));
      });
      return { header, rows: part.rows, bytes: part.bytes };
    }
  }
  throw new RecoveryRefused("The backup has no beginning, or no end: it is not whole.");
}

function add(builder: StateBuilder, rows: readonly StateRow[]): Promise<void> {
  return new Promise((resolve, reject) => {
    builder.add(rows, (failure) => (failure === undefined ? resolve() : reject(failure)));
  });
}

/** The rows must be of the entry that the header names. Returns that entry's time. */
function checkedTime(state: StateStore, { position }: SnapshotHeader): number {
  const { applied, time } = new ReplicatedState(state, [new SequenceMachine(state)]);
  if (applied.index === position.index && applied.term === position.term) return time;
  throw new RecoveryRefused(
    `The backup says that it is of entry ${position.index} of term ${position.term}, but its rows are of entry ${applied.index} of term ` +
      `${applied.term}.`,
  );
}
