import type { NodeId } from "../raft/types.js";

interface Sample {
  readonly at: number;
  /** The peer's wall clock minus our monotonic one, in ms, less the time the frame took. */
  readonly offsetMs: number;
}

/** One moment by both of this node's clocks, in ms. */
export interface Moment {
  readonly now: number;
  readonly wall: number;
}

const SAMPLES_PER_PEER_MAX = 16;

/**
 * How far this node's wall clock is from its peers'. Every frame carries its sender's clock. A
 * delay, or a pause of our own, can only make a clock look late, so the greatest of the recent
 * samples of a peer is the truest. Samples are kept by our monotonic clock: a leap of our own wall
 * clock is seen at once, with the samples that are there.
 */
export class ClockWatch {
  readonly #windowMs: number;
  readonly #samples = new Map<NodeId, Sample[]>();

  constructor(options: { readonly windowMs: number }) {
    this.#windowMs = options.windowMs;
  }

  /**
   * @param now monotonic ms
   * @param peerWall the sender's wall clock as the frame carried it
   */
  sample(peer: NodeId, now: number, peerWall: number): void {
    const offsetMs = peerWall - now;
    const samples = this.#samples.get(peer) ?? [];
    const newest = samples.at(-1);
    // One sample per sixteenth of the window is enough; the best of it stays.
    if (newest !== undefined && now - newest.at < this.#windowMs / SAMPLES_PER_PEER_MAX) {
      if (offsetMs > newest.offsetMs) samples[samples.length - 1] = { at: newest.at, offsetMs };
    } else {
      samples.push({ at: now, offsetMs });
      if (samples.length > SAMPLES_PER_PEER_MAX) samples.shift();
    }
    this.#samples.set(peer, samples);
  }

  /** The peer's wall clock minus ours, in ms; undefined when the peer was not heard lately. */
  offsetOf(peer: NodeId, { now, wall }: Moment): number | undefined {
    const recent = (this.#samples.get(peer) ?? []).filter((sample) => now - sample.at <= this.#windowMs);
    if (recent.length === 0) return undefined;
    return Math.max(...recent.map((sample) => sample.offsetMs)) - (wall - now);
  }

  /**
   * The median of the voters' clocks minus ours, in ms, our own (0) included; 0 while fewer than a
   * majority of them are heard, since then nothing can be said.
   */
  medianOffset(self: NodeId, voters: readonly NodeId[], at: Moment): number {
    const offsets: number[] = [];
    for (const voter of voters) {
      const offset = voter === self ? 0 : this.offsetOf(voter, at);
      if (offset !== undefined) offsets.push(offset);
    }
    if (offsets.length * 2 <= voters.length) return 0;
    offsets.sort((a, b) => a - b);
    const middle = Math.floor((offsets.length - 1) / 2);
    const low = offsets[middle] ?? 0;
    const high = offsets[offsets.length - 1 - middle] ?? 0;
    // Of two middle clocks the nearer one counts: with an even number, doubt speaks for the leader.
    return Math.abs(low) < Math.abs(high) ? low : high;
  }
}
