import type { NodePorts } from "../../cluster/ports.js";

/** What a probe is asked, and what it answers: a process of its own that runs nodes on folders which may be damaged. */

export interface ProbeQuestion {
  readonly dataDir: string;
  readonly ports: NodePorts;
  readonly prefixes: readonly string[];
  /** Draws that were answered once, to be sent again. */
  readonly repeats: readonly KeyedDraw[];
}

export interface KeyedDraw {
  readonly prefix: string;
  readonly key: string;
}

/** All that a caller can ask of a node about what was. */
export interface Facts {
  /** Prefix by prefix: definition, status, every page of the audit. */
  readonly told: readonly string[];
  /** Answers to repeated draws, and whether they were marked as repeated. */
  readonly repeated: readonly string[];
  /** The next numbers, drawn after everything else was asked. */
  readonly next: readonly string[];
}

export type ProbeAnswer =
  | { readonly kind: "served"; readonly facts: Facts }
  /** With a sentence that names what is wrong; at the start, when nothing is left open, or later. */
  | { readonly kind: "refused"; readonly atStart: boolean; readonly code: string; readonly says: string }
  /** In any other way. */
  | { readonly kind: "failed"; readonly says: string };
