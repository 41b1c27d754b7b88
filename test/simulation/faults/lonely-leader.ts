import { type FaultKind, numberOf, targetOf } from "./fault-kind.js";

/**
 * A leader is cut off and goes on taking calls, each an entry of its own: its log grows where nobody follows, and when
 * it is heard again the others have cut theirs behind the place where they part (classic bug 14).
 */
export const LONELY_LEADER: FaultKind = {
  name: "lonelyLeader",
  weight: 4,
  plan: (random) => ({
    target: "leader",
    calls: random.integer(5, 50),
    everyMs: random.between(2, 12),
    forMs: random.between(600, 2500),
  }),
  strike: (world, settings) => {
    const node = targetOf(world, settings);
    if (node === undefined) return;
    const others = world.nodes.filter((other) => other !== node);
    world.trace?.note(node.name, "leads alone");
    for (const { id } of others) {
      world.network.weather(node.id, id).blocked = true;
      world.network.weather(id, node.id).blocked = true;
    }
    const calls = numberOf(settings, "calls");
    for (let call = 0; call < calls; call++) {
      world.later(call * numberOf(settings, "everyMs"), () => {
        if (world.isChaos) world.clients.drawAt(node.id);
      });
    }
    world.later(numberOf(settings, "forMs"), () => {
      if (!world.isChaos) return;
      world.trace?.note(node.name, "is heard again");
      for (const { id } of others) {
        world.network.calmDown(node.id, id);
        world.network.calmDown(id, node.id);
      }
    });
  },
};
