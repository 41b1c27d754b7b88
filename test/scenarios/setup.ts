import type { Entry, NodeId } from "../../src/raft/types.js";
import type { CoreDisk } from "../raft/core-node.js";
import type { LogContent } from "../raft/log-content.js";

/** How a story begins: who there is, and what their disks hold. */
export interface Setup {
  voters: number;
  learners: number;
  /** Empty nodes that belong to nothing yet. */
  spares: number;
  founded: boolean;
  entriesPerRequest: number;
  readonly disks: Map<NodeId, Partial<CoreDisk>>;
}

/** Returns whether the line was one of the sentences that set a story up. */
export function setupLine(setup: Setup, line: string): boolean {
  const nodes = line.match(/^(\d) nodes?(?: and (\d) learners?)?(?: and (\d) spares?)?(, not founded)?$/);
  if (nodes !== null) {
    setup.voters = Number(nodes[1]);
    setup.learners = Number(nodes[2] ?? 0);
    setup.spares = Number(nodes[3] ?? 0);
    setup.founded = nodes[4] === undefined;
    return true;
  }
  const requests = line.match(/^requests carry (\d) entr(?:y|ies)$/);
  if (requests !== null) {
    setup.entriesPerRequest = Number(requests[1]);
    return true;
  }
  const disk = line.match(/^disk of (\d): ([\d ]*?)(?:, term (\d+)(?:, vote for (\d))?)?$/);
  if (disk === null) return false;
  const [, id, terms = "", term, vote] = disk;
  const entries = entriesOf(setup, terms.split(" ").filter(Boolean).map(Number));
  const hardState = {
    term: term === undefined ? (entries.at(-1)?.term ?? 0) : Number(term),
    votedFor: vote === undefined ? undefined : Number(vote),
  };
  setup.disks.set(Number(id), { hardState, entries });
  return true;
}

/** Two logs that agree share their entries: the same entry is the same object everywhere. */
function entriesOf(setup: Setup, terms: readonly number[]): Entry[] {
  const known = [...setup.disks.values()].flatMap(({ entries }) => entries ?? []);
  return terms.map((term, place): Entry => {
    const index = place + 1;
    const payload = new TextEncoder().encode(`${index}/${term}`);
    return (
      known.find((entry) => entry.index === index && entry.term === term) ?? {
        index,
        term,
        body: { kind: "command", payload },
      }
    );
  });
}

/** The terms of a log, as stories write it: `1 1 2`, or `[3/1] 2 2` when it begins after entry 3 of term 1. */
export function logText({ base, entries }: LogContent): string {
  const terms = entries.map(({ term }) => String(term));
  return (base.index === 0 ? terms : [`[${base.index}/${base.term}]`, ...terms]).join(" ");
}
