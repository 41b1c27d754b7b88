/** Snapshots that one node sends at once, at the very most: which of them it sends is for whoever reads the state to say. */
export const SNAPSHOTS_SERVED_MAX = 4;

/** How long a receiver waits for the next chunk before it gives the transfer up. */
export const SNAPSHOT_IDLE_MS = 10_000;

/** How long a sender waits for a chunk to be taken: longer than a receiver waits, so that it is the receiver that says why. */
export const SNAPSHOT_STALL_MS = 30_000;

export const TOO_MANY_SNAPSHOTS = `${SNAPSHOTS_SERVED_MAX} snapshots are being sent already`;

/** Why a transfer came to nothing, as the receiver's sink hears it. */
export function snapshotFailure(peer: number, reason: string): Error {
  return new Error(`no snapshot from node ${peer}: ${reason}`);
}
