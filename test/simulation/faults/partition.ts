import type { World } from "../engine/world.js";
import { type FaultKind, numberOf, planTarget, targetOf } from "./fault-kind.js";

/** More than there ever are. */
const NODES_MAX = 12;

type Shape = "isolate" | "mute" | "deafen" | "split" | "chain" | "oneWay";
type Direction = readonly [from: number, to: number];

/**
 * Directions between nodes are blocked for a while: one node is cut off, or only not heard, or hears
 * nothing; two groups; a chain in which each node reaches only its neighbours; single directions.
 */
export const PARTITION: FaultKind = {
  name: "partition",
  weight: 10,
  plan: (random, context) => ({
    shape: random.pick<Shape>(["isolate", "isolate", "mute", "deafen", "split", "chain", "oneWay"]),
    target: planTarget(random, context),
    order: shuffled(NODES_MAX, () => random.unit()),
    /** Whether the streams break, or everything just falls silent. */
    isNoticed: random.chance(0.4),
    forMs: random.chance(0.5) ? random.between(20, 800) : random.between(800, 4000),
  }),
  strike: (world, settings) => {
    const blocked = directionsOf(world, settings);
    const isNoticed = settings["isNoticed"] === true;
    for (const [from, to] of blocked) {
      world.network.weather(from, to).blocked = true;
      if (isNoticed) world.network.reset(from, to);
    }
    world.trace?.note("world", `blocked: ${blocked.map(([from, to]) => `n${from}->n${to}`).join(" ")}`);
    world.later(numberOf(settings, "forMs"), () => {
      if (!world.isChaos) return;
      for (const [from, to] of blocked) world.network.calmDown(from, to);
      world.trace?.note("world", `free again: ${blocked.map(([from, to]) => `n${from}->n${to}`).join(" ")}`);
    });
  },
};

function directionsOf(world: World, settings: Readonly<Record<string, unknown>>): Direction[] {
  const members = world.members().map(({ id }) => id);
  const order = (settings["order"] as readonly number[]).filter((id) =>
    members.length === 0 ? id <= world.nodes.length : members.includes(id),
  );
  const target = targetOf(world, settings)?.id ?? order[0] ?? 1;
  const all = order.flatMap((from) => order.filter((to) => to !== from).map((to): Direction => [from, to]));
  const half = order.slice(0, Math.floor(order.length / 2));
  switch (settings["shape"] as Shape) {
    case "isolate":
      return all.filter(([from, to]) => from === target || to === target);
    case "mute":
      return all.filter(([from]) => from === target);
    case "deafen":
      return all.filter(([, to]) => to === target);
    case "split":
      return all.filter(([from, to]) => half.includes(from) !== half.includes(to));
    case "chain":
      return all.filter(([from, to]) => Math.abs(order.indexOf(from) - order.indexOf(to)) > 1);
    case "oneWay":
      return all.filter(([from, to]) => order.indexOf(from) + 1 === order.indexOf(to));
  }
}

function shuffled(count: number, unit: () => number): number[] {
  return Array.from({ length: count }, (_, place) => ({ id: place + 1, rank: unit() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ id }) => id);
}
