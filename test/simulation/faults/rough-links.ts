import { type FaultKind, numberOf } from "./fault-kind.js";

/** All links lose, repeat, overtake or delay for a while. */
export const ROUGH_LINKS: FaultKind = {
  name: "roughLinks",
  weight: 6,
  plan: (random) => ({
    loss: random.chance(0.6) ? random.between(0, 0.3) : 0,
    duplication: random.chance(0.6) ? random.between(0, 0.3) : 0,
    reordering: random.chance(0.6),
    delayMs: random.chance(0.5) ? random.between(0.1, 5) : random.between(5, 120),
    jitterMs: random.chance(0.5) ? random.between(0.1, 5) : random.between(5, 120),
    forMs: random.between(200, 3000),
  }),
  strike: (world, settings) => {
    const { loss, duplication, reordering, delayMs, jitterMs } = settings;
    for (const from of world.nodes) {
      for (const to of world.nodes) {
        if (from === to) continue;
        Object.assign(world.network.weather(from.id, to.id), { loss, duplication, reordering, delayMs, jitterMs });
      }
    }
    world.trace?.note("world", `rough links: ${JSON.stringify(settings)}`);
    world.later(numberOf(settings, "forMs"), () => {
      if (!world.isChaos) return;
      for (const from of world.nodes) {
        for (const to of world.nodes) {
          if (from !== to && !world.network.weather(from.id, to.id).blocked) world.network.calmDown(from.id, to.id);
        }
      }
      world.trace?.note("world", "links are calm again");
    });
  },
};
