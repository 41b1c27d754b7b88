import type { LocalCluster } from "../cluster/launcher.js";
import { EchoProcess } from "./echo-process.js";
import type { LoadGenerator, LoadOutcome, LoadPlan } from "./load.js";
import { readMetrics, sharing } from "./metrics.js";
import type { BenchOptions } from "./options.js";
import type { Row } from "./report.js";

const host = "127.0.0.1";

async function getJson(url: string): Promise<{ readonly [name: string]: unknown }> {
  const response = await fetch(url);
  const text = await response.text();
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${text}`);
  return JSON.parse(text) as { readonly [name: string]: unknown };
}

async function leaderOf(cluster: LocalCluster): Promise<number> {
  const { leader_id: leader } = await getJson(`${cluster.rest(1)}/api/v1/cluster`);
  if (typeof leader !== "number") throw new Error("the cluster has no leader");
  return leader;
}

/** A sequence's own count of what it handed out must lie between what was acknowledged and what may have happened. */
export function disagreement(
  generated: number,
  { acknowledged, unknownMax }: Pick<LoadOutcome, "acknowledged" | "unknownMax">,
): string {
  if (generated < acknowledged) return `LOST: ${acknowledged} acknowledged, ${generated} generated`;
  const most = acknowledged + unknownMax;
  return generated > most ? `TOO MANY: at most ${most} asked for, ${generated} generated` : "";
}

async function measured(generator: LoadGenerator, plan: LoadPlan, warmUpSeconds: number): Promise<LoadOutcome> {
  await generator.run({ ...plan, prefix: `${plan.prefix}-WARM`, seconds: warmUpSeconds });
  return generator.run(plan);
}

/** One row: the bare server, then the cluster, under the same load. */
export async function measure(
  cluster: LocalCluster,
  generator: LoadGenerator,
  inFlight: number,
  options: BenchOptions,
): Promise<Row> {
  const { protocol } = generator;
  const { seconds, warmUpSeconds } = options;
  const prefix = `BENCH-${protocol.toUpperCase()}-${inFlight}`;
  const echoServer = await EchoProcess.start(protocol);
  const plan = { host, port: echoServer.port, prefix, inFlight, seconds };
  const echo = await measured(generator, plan, warmUpSeconds).finally(() => echoServer.stop());

  const leader = await leaderOf(cluster);
  const target = options.at === "leader" ? leader : (cluster.ids.find((id) => id !== leader) ?? leader);
  const address = protocol === "rest" ? cluster.rest(target) : `http://${cluster.grpc(target)}`;
  const clusterPlan = { ...plan, port: Number(new URL(address).port) };
  await generator.run({ ...clusterPlan, prefix: `${prefix}-WARM`, seconds: warmUpSeconds });
  const before = await readMetrics(cluster.rest(leader));
  const outcome = await generator.run(clusterPlan);
  const after = await readMetrics(cluster.rest(leader));
  const { total_generated: generated } = await getJson(`${cluster.rest(target)}/api/v1/status/${prefix}`);
  return {
    protocol,
    generator: generator.name,
    inFlight,
    cluster: outcome,
    echo,
    ...sharing(before, after),
    disagreement: disagreement(Number(generated), outcome),
  };
}
