import type { NodeId } from "../raft/types.js";
import { LIMITS } from "./options.js";

/** A group that another node forwarded, waiting at the leader to be packed. */
export interface ForwardedGroup {
  readonly from: NodeId;
  readonly forwardId: number;
  readonly bytes: Uint8Array;
  readonly commandCount: number;
  /** A registration is alone in its entry: the entry's index is the session's id. */
  readonly registersSession: boolean;
}

/** Forwarded groups in order of arrival, bounded. */
export class Inbox {
  #groups: ForwardedGroup[] = [];
  #commandCount = 0;

  get isEmpty(): boolean {
    return this.#groups.length === 0;
  }

  /** Returns whether there was room. */
  add(group: ForwardedGroup): boolean {
    if (group.registersSession && this.#replaceRegistration(group)) return true;
    if (this.#commandCount + group.commandCount > LIMITS.forwardedMax) return false;
    this.#groups.push(group);
    this.#commandCount += group.commandCount;
    return true;
  }

  /**
   * A node repeats its registration until it is answered. Each takes an entry of its own, so with a slow
   * disk repetitions would pile up before everything else: only the newest of a node waits.
   */
  #replaceRegistration(group: ForwardedGroup): boolean {
    const place = this.#groups.findIndex(({ registersSession, from }) => registersSession && from === group.from);
    if (place === -1) return false;
    this.#groups[place] = group;
    return true;
  }

  /** Takes what fits into one entry: a registration alone, or groups up to the first registration. */
  take(limit: { readonly commands: number; readonly bytes: number }): ForwardedGroup[] {
    let count = 0;
    let commands = 0;
    let bytes = 0;
    for (const group of this.#groups) {
      if (count > 0) {
        const fits = commands + group.commandCount <= limit.commands && bytes + group.bytes.length <= limit.bytes;
        if (!fits || group.registersSession) break;
      }
      count++;
      commands += group.commandCount;
      bytes += group.bytes.length;
      if (group.registersSession) break;
    }
    this.#commandCount -= commands;
    return this.#groups.splice(0, count);
  }

  /** Takes everything, for a leader that leads no more: none of it was proposed. */
  takeAll(): ForwardedGroup[] {
    this.#commandCount = 0;
    return this.#groups.splice(0);
  }
}
