import { cpSync, rmSync } from "node:fs";
import { basename, dirname, extname, join } from "node:path";
import { seeded } from "../chaos/faults.js";
import { type Damage, drawDamage, inflictDamage } from "./damage.js";
import { makeOrigins, type Origin } from "./origin.js";
import type { Facts, ProbeAnswer, ProbeQuestion } from "./probe.js";
import { Prober } from "./prober.js";
import type { Findings, Scenario, Table, Workshop } from "./scenario.js";

const REPEATS = 12;

type Outcome = "served, as it was" | "refused" | "WRONG";

interface Trial {
  readonly origin: string;
  readonly damage: Damage;
  readonly outcome: Outcome;
  /** The refusal, or what is wrong. */
  readonly says: string;
}

function questionOf(origin: Origin, dataDir: string, random: () => number): ProbeQuestion {
  const { ports, prefixes, keyed } = origin;
  const repeats = Array.from({ length: REPEATS }, () => keyed[Math.floor(random() * keyed.length)] ?? keyed[0]);
  return { dataDir, ports, prefixes, repeats: repeats.filter((repeat) => repeat !== undefined) };
}

/** What an undamaged copy says, held against what the callers know. */
async function truthOf(origin: Origin, question: ProbeQuestion, prober: Prober): Promise<Facts> {
  cpSync(origin.dataDir, question.dataDir, { recursive: true });
  const answer = await prober.ask(question);
  rmSync(question.dataDir, { recursive: true });
  if (answer.kind !== "served") throw new Error(`the undamaged folder was ${answer.kind}: ${answer.says}`);
  for (const [prefix, counter] of origin.last) {
    const status = answer.facts.told.find((text) => text.includes(`"prefix":"${prefix}","current_counter":`)) ?? "";
    if (!status.includes(`"current_counter":${counter},`)) {
      throw new Error(`the last number of ${prefix} was ${counter}, but an undamaged copy says ${status}`);
    }
  }
  const fresh = answer.facts.repeated.find((text) => !text.startsWith("200 true "));
  if (fresh !== undefined) throw new Error(`a repeated draw was answered ${fresh}`);
  return answer.facts;
}

function judged(answer: ProbeAnswer, truth: Facts): { readonly outcome: Outcome; readonly says: string } {
  if (answer.kind === "refused") return { outcome: "refused", says: `${answer.code}: ${answer.says}` };
  if (answer.kind === "failed") return { outcome: "WRONG", says: `no clear refusal: ${answer.says}` };
  for (const name of ["told", "repeated", "next"] as const) {
    const place = truth[name].findIndex((text, index) => answer.facts[name][index] !== text);
    if (place === -1 && truth[name].length === answer.facts[name].length) continue;
    const [wanted = "", got = ""] = [truth[name][place], answer.facts[name][place]];
    return { outcome: "WRONG", says: `${name} ${got.slice(0, 400)} instead of ${wanted.slice(0, 400)}` };
  }
  return { outcome: "served, as it was", says: "" };
}

/** Half of the trials on each origin, one after the other; the origins side by side. */
async function tryOn(origin: Origin, count: number, seed: number, workshop: Workshop): Promise<Trial[]> {
  const random = seeded(seed);
  const question = questionOf(origin, join(workshop.folder, `copy-${origin.name}`), random);
  const prober = new Prober();
  const trials: Trial[] = [];
  try {
    const truth = await truthOf(origin, question, prober);
    for (let trial = 0; trial < count; trial++) {
      const { dataDir } = question;
      cpSync(origin.dataDir, dataDir, { recursive: true });
      const damage = drawDamage(dataDir, random);
      inflictDamage(dataDir, damage);
      const verdict = judged(await prober.ask(question), truth);
      trials.push({ origin: origin.name, damage, ...verdict });
      if (verdict.outcome !== "WRONG") rmSync(dataDir, { recursive: true });
      else cpSync(dataDir, `${dataDir}-wrong-${trial}`, { recursive: true });
      rmSync(dataDir, { recursive: true, force: true });
      if (trial % 50 === 49) workshop.say(`${origin.name}: ${trial + 1} of ${count} damages`);
    }
    return trials;
  } finally {
    await prober.close();
  }
}

function kindOf({ file }: Damage): string {
  const store = dirname(file).startsWith("state") ? "state" : dirname(file);
  const name = basename(file);
  const kinds: Readonly<Record<string, string>> = { ".ldb": "tables", ".log": "write-ahead log" };
  return `${store}: ${kinds[extname(name)] ?? name.replace(/-\d+$/, "")}`;
}

function outcomesOf(trials: readonly Trial[]): Table {
  const kinds = [...new Set(trials.map(({ damage }) => kindOf(damage)))].sort();
  const harms = ["flip", "blank", "truncate", "remove"] as const;
  const cell = (kind: string, harm: string) => {
    const own = trials.filter(({ damage }) => kindOf(damage) === kind && damage.harm === harm);
    const of = (outcome: Outcome) => own.filter((trial) => trial.outcome === outcome).length;
    return own.length === 0 ? "-" : `${of("refused")} / ${of("served, as it was")} / ${of("WRONG")}`;
  };
  return {
    title: `${trials.length} damages: refused / served, as it was / WRONG`,
    head: ["file", ...harms],
    rows: kinds.map((kind) => [kind, ...harms.map((harm) => cell(kind, harm))]),
  };
}

/** Refusals by what they say, numbers and paths aside. */
function sentencesOf(trials: readonly Trial[]): Table {
  const counts = new Map<string, number>();
  for (const { outcome, says } of trials) {
    if (outcome !== "refused") continue;
    const sentence = says
      .replace(/\/\S*\/(?=[\w.-]+)/g, "")
      .replace(/\d+/g, "#")
      .slice(0, 160);
    counts.set(sentence, (counts.get(sentence) ?? 0) + 1);
  }
  const rows = [...counts].sort(([, one], [, other]) => other - one).map(([text, count]) => [count, text]);
  return { title: "how nodes refused", head: ["times", "sentence"], rows };
}

export const flips: Scenario = {
  name: "flips",
  about: "copied data files are flipped, blanked, cut and removed: a node refuses clearly, or everything is as it was",
  defaults: { count: 500 },
  async run(workshop): Promise<Findings> {
    const { count, seed } = workshop.parameters;
    const origins = await makeOrigins(workshop);
    workshop.say(`seed ${seed}`);
    const half = Math.ceil(count / 2);
    const trials = (
      await Promise.all(origins.map((origin, place) => tryOn(origin, half, seed + place, workshop)))
    ).flat();
    const faults = trials
      .filter(({ outcome }) => outcome === "WRONG")
      .map(({ origin, damage, says }) => `${origin}, ${JSON.stringify(damage)}: ${says}`);
    return { tables: [outcomesOf(trials), sentencesOf(trials)], faults, misses: [] };
  },
};
