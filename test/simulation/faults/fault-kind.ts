import type { Random } from "../engine/random.js";
import type { World, WorldNode } from "../engine/world.js";

export interface FaultContext {
  readonly nodeCount: number;
  readonly chaosMs: number;
  readonly electionTimeoutMs: number;
}

export type FaultSettings = Readonly<Record<string, unknown>>;

/** One kind of fault: how it is drawn by lot, and what it does. One file each. */
export interface FaultKind {
  readonly name: string;
  readonly weight: number;
  /** Undefined: it cannot happen in this run. Plain JSON otherwise. */
  plan(random: Random, context: FaultContext): FaultSettings | undefined;
  strike(world: World, settings: FaultSettings): void;
}

/** Whoever leads when the fault strikes, or a member by its number. */
export type Target = "leader" | number;

export function planTarget(random: Random, { nodeCount }: FaultContext): Target {
  return random.chance(0.5) ? "leader" : random.integer(1, nodeCount);
}

/** Undefined if nobody leads. */
export function targetOf(world: World, settings: FaultSettings): WorldNode | undefined {
  const target = settings["target"];
  if (typeof target === "number") return world.door(target);
  return world.nodes.find((node) => node.isLeader && !node.time.isPaused);
}

export function numberOf(settings: FaultSettings, name: string): number {
  const value = settings[name];
  if (typeof value !== "number") throw new Error(`the fault has a number ${name}`);
  return value;
}
