import { collectDefaultMetrics, Registry } from "prom-client";
import { DrawMetrics } from "./draw-metrics.js";
import { ReplicaMetrics } from "./replica-metrics.js";
import { StorageMetrics } from "./storage-metrics.js";

/** All metrics of one node, in a registry of its own: two nodes in one process do not mix. */
export interface NodeMetrics {
  readonly registry: Registry;
  readonly draws: DrawMetrics;
  readonly replica: ReplicaMetrics;
  readonly storage: StorageMetrics;
}

/** Register the view of the cluster by registerClusterGauges once there is one. */
export function createMetrics(): NodeMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return {
    registry,
    draws: new DrawMetrics(registry),
    replica: new ReplicaMetrics(registry),
    storage: new StorageMetrics(registry),
  };
}
