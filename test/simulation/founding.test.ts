import t from "tap";
import { VirtualCluster } from "../replica/virtual-cluster.js";

t.test(
  "a first leader that is cut off before anybody hears its founding entry finds its way back (seed 319)",
  async (t) => {
    const cluster = await new VirtualCluster(3).start();
    cluster.filter = (_from, _to, messages) => messages.filter(({ type }) => type !== "appendRequest");
    cluster.time.until(() => cluster.nodes.some((node) => node.replica?.isLeader === true));
    const { leader: first } = cluster;
    const others = cluster.nodes.filter((node) => node !== first);
    cluster.time.advance(5);
    t.equal(first.replica?.core?.commitIndex, 0, "its founding entry is nobody else's");
    for (const other of others) cluster.network.cut(first.id, other.id);
    cluster.filter = (_from, _to, messages) => messages;
    cluster.time.until(() => others.every((node) => node.isReady));
    for (const other of others) cluster.network.heal(first.id, other.id);
    cluster.time.until(() => first.isReady);
    t.equal(new Set(cluster.nodes.map((node) => node.replica?.view().clusterId)).size, 1);
  },
);
