import { readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { root, typescriptSources } from "../paths.mjs";
import { atLeast, CheckFailure } from "./outcome.mjs";

export const name = "clocks";
export const about =
  "the core, the host and apply know no clock, timer, randomness, locale or environment of the platform";

const timers = ["setTimeout", "setInterval", "setImmediate", "performance"];
const randomness = ["Math.random", "randomBytes", "randomInt", "randomUUID", "getRandomValues", "crypto.webcrypto"];
const environment = ["process", "Intl", "localeCompare", "toLocaleString", "toLocaleDateString", "toLocaleTimeString"];

/**
 * In the core and the host, time comes as input or through a port: no Date at all. Apply may do
 * arithmetic on a given time (`new Date(time)`, `Date.UTC`) but never asks what time it is.
 */
const rules = [
  { folders: ["src/raft/", "src/replica/"], banned: [...timers, ...randomness, ...environment, "Date"] },
  {
    folders: ["src/machine/", "src/sequence/"],
    banned: [...timers, ...randomness, ...environment, "Date.now", "Date()"],
  },
];

/** A name that declares or labels something of our own is not a use of the platform's. */
function isOwnName(node) {
  const { parent } = node;
  if (ts.isImportSpecifier(parent)) return parent.propertyName !== undefined && parent.name === node;
  const named =
    ts.isPropertyAssignment(parent) ||
    ts.isPropertySignature(parent) ||
    ts.isPropertyDeclaration(parent) ||
    ts.isMethodSignature(parent) ||
    ts.isMethodDeclaration(parent);
  return named && parent.name === node;
}

/** What a node uses of the platform, in the words of `rules`. */
function uses(node) {
  if (ts.isPropertyAccessExpression(node)) {
    return [`${node.expression.getText()}.${node.name.text}`.replace(/^globalThis\./, ""), node.name.text];
  }
  if ((ts.isNewExpression(node) || ts.isCallExpression(node)) && node.expression.getText() === "Date") {
    return (node.arguments?.length ?? 0) === 0 || ts.isCallExpression(node) ? ["Date()"] : [];
  }
  if (!ts.isIdentifier(node) || isOwnName(node)) return [];
  const reached = ts.isPropertyAccessExpression(node.parent) && node.parent.name === node;
  return reached ? [] : [node.text];
}

/** Methods of our own ports may bear a timer's name: `this.#timers.setTimeout` is no platform timer. */
function isBanned(use, node, banned) {
  if (!banned.includes(use)) return false;
  const throughOwnPort = ts.isPropertyAccessExpression(node) && timers.concat("Date", "process").includes(use);
  return !throughOwnPort || node.expression.getText() === "globalThis";
}

function scan(path, text, banned) {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, true);
  const found = [];
  const visit = (node) => {
    const use = uses(node).find((candidate) => isBanned(candidate, node, banned));
    if (use !== undefined) {
      const { line } = source.getLineAndCharacterOfPosition(node.getStart());
      found.push(`${path}:${line + 1} uses ${use}`);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** Lines that must be caught (or let through) before the scan's silence means anything. */
const samples = [
  [0, "const now = Date.now();", true],
  [0, "const day = new Date(0);", true],
  [0, "setTimeout(run, 1);", true],
  [0, "globalThis.setTimeout(run, 1);", true],
  [0, "const schedule = setInterval;", true],
  [0, "const t = process.hrtime.bigint();", true],
  [0, "const t = performance.now();", true],
  [0, "const r = Math.random();", true],
  [0, 'import { randomBytes } from "node:crypto";', true],
  [0, "setImmediate(() => drain());", true],
  [0, "interface Timers { setTimeout(run: () => void, ms: number): Timer }", false],
  [0, "this.#timers.setTimeout(run, 1); clock.monotonic(); const Dates = 1;", false],
  [0, "// Date.now() in a comment\nconst text = 'Math.random()';", false],
  [1, "const now = Date.now();", true],
  [1, "const now = new Date();", true],
  [1, "const now = Date();", true],
  [1, "const order = a.localeCompare(b);", true],
  [1, "new Intl.DateTimeFormat('en');", true],
  [1, "const zone = process.env.TZ;", true],
  [1, "const year = new Date(time).getUTCFullYear(); Date.UTC(2026, 0);", false],
];

function proveScan() {
  for (const [rule, text, caught] of samples) {
    if (scan("sample.ts", text, rules[rule].banned).length > 0 === caught) continue;
    throw new CheckFailure(`the scan ${caught ? "does not catch" : "wrongly catches"}: ${text}`);
  }
}

export function run() {
  proveScan();
  const found = [];
  let files = 0;
  for (const { folders, banned } of rules) {
    for (const folder of folders) {
      const paths = typescriptSources().filter((path) => path.startsWith(folder));
      atLeast(paths.length, 1, `files in ${folder}`);
      files += paths.length;
      found.push(...paths.flatMap((path) => scan(path, readFileSync(join(root, path), "utf8"), banned)));
    }
  }
  if (found.length > 0) throw new CheckFailure(found.join("\n"));
  return atLeast(files, 10, "files");
}
