import { EventEmitter, once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { pino } from "pino";
import { loadConfig } from "../../src/config.js";
import { startNode } from "../../src/node.js";
import { StorageFailure } from "../../src/storage/log-store.js";
import type { Facts, ProbeAnswer, ProbeQuestion } from "./probe.js";

/** Runs one node after the other in this process, for whoever forked it (probe.ts). */

const HOST = "127.0.0.1";
const READY_MS = 30_000;
const PAGE = 1000;

async function answerOf(question: ProbeQuestion): Promise<ProbeAnswer> {
  const { rest, grpc, peer } = question.ports;
  const config = loadConfig({
    NODE_ID: "1",
    HOST,
    PORT: String(rest),
    GRPC_PORT: String(grpc),
    PEER_PORT: String(peer),
    PEERS: `1=${HOST}:${peer}`,
    DATA_DIR: question.dataDir,
    // Alone, a node has nobody to wait for.
    ELECTION_TIMEOUT_MS: "60",
    HEARTBEAT_MS: "15",
  });
  const deaths = new EventEmitter();
  const died = once(deaths, "fatal").then(([failure]) => Promise.reject(failure as Error));
  died.catch(() => undefined);
  const fatal = (failure: Error) => void deaths.emit("fatal", failure);
  let isStarted = false;
  try {
    const logger = pino({ level: "silent" });
    const node = await startNode({ config: { ...config, nodeId: 1 }, version: "probe", logger, fatal });
    isStarted = true;
    const facts = await Promise.race([died, factsOf(`http://${HOST}:${rest}`, question)]);
    await Promise.race([died, node.stop(1000)]);
    return { kind: "served", facts };
  } catch (error) {
    return failureOf(error, !isStarted);
  }
}

function failureOf(error: unknown, atStart: boolean): ProbeAnswer {
  if (error instanceof StorageFailure) return { kind: "refused", atStart, code: error.code, says: error.message };
  return { kind: "failed", says: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}

async function factsOf(origin: string, question: ProbeQuestion): Promise<Facts> {
  const endsAt = performance.now() + READY_MS;
  while (!(await fetch(`${origin}/ready`)).ok) {
    if (performance.now() > endsAt) throw new Error(`not ready: ${await (await fetch(`${origin}/ready`)).text()}`);
    await pause(5);
  }
  const api = `${origin}/api/v1`;
  const told: string[] = [];
  for (const prefix of question.prefixes) {
    told.push(await textOf(`${api}/config/${prefix}`), statusText(await textOf(`${api}/status/${prefix}`)));
    for (let after = ""; ; ) {
      const page = await textOf(`${api}/audit/${prefix}?limit=${PAGE}${after === "" ? "" : `&after=${after}`}`);
      told.push(page);
      const { next } = JSON.parse(page) as { readonly next: string | null };
      if (next === null) break;
      after = next;
    }
  }
  const repeated: string[] = [];
  for (const { prefix, key } of question.repeats) repeated.push(await drawn(api, prefix, key));
  const next: string[] = [];
  for (const prefix of question.prefixes) next.push(numberText(await drawn(api, prefix, "")));
  return { told, repeated, next };
}

async function textOf(url: string): Promise<string> {
  const response = await fetch(url);
  return `${response.ok ? "" : `${response.status} `}${await response.text()}`;
}

async function drawn(api: string, prefix: string, key: string): Promise<string> {
  const headers = { "content-type": "application/json", ...(key === "" ? {} : { "idempotency-key": key }) };
  const response = await fetch(`${api}/next`, { method: "POST", headers, body: JSON.stringify({ prefix }) });
  return `${response.status} ${response.headers.get("idempotency-replayed") ?? "fresh"} ${await response.text()}`;
}

/** Without what depends on who runs, and on how many entries say nothing of numbers. */
function statusText(text: string): string {
  return text.replace(/"(?:applied_index|lag)":\d+,?/g, "");
}

/** Without when it was drawn. */
function numberText(text: string): string {
  return text.replace(/"(?:generated_at|message_id)":"[^"]*",?/g, "").replace(/"request_id":"[^"]*",?/g, "");
}

process.on("uncaughtException", (error) => {
  // As a node does: the process is over, and its last word says why.
  process.send?.(failureOf(error, false), () => process.exit(1));
});
process.on("message", (question: ProbeQuestion) => {
  answerOf(question).then(
    (answer) => process.send?.(answer),
    (error: unknown) => process.send?.(failureOf(error, false)),
  );
});
process.on("disconnect", () => process.exit(0));
