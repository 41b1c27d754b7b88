#!/usr/bin/env node
// Makes the checkout ready to run: dependencies, generated code, compiled code; skips what is up to date.
// With --dependencies it stops after the first. Plain Node without dependencies, because it is what installs them.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { generate, generatedHash, generationInputs } from "./generate.mjs";
import { filesUnder, hashFiles, root, sourceFolders, typescriptSources } from "./paths.mjs";

const stampPath = join(root, "dist/.prepare.json");
const leastNode = [20, 19];

class PrepareError extends Error {}

function say(text) {
  process.stderr.write(`prepare: ${text}\n`);
}

function checkNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major > leastNode[0] || (major === leastNode[0] && minor >= leastNode[1])) return;
  throw new PrepareError(`Folio needs Node ${leastNode.join(".")} or later; this is ${process.version}.`);
}

function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    if (error.code === "ENOENT" || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** npm writes down what it installed when it has finished: compare that with what is locked. */
function dependenciesInstalled() {
  const locked = readJson(join(root, "package-lock.json"))?.packages;
  if (locked === undefined) throw new PrepareError("package-lock.json is missing or damaged.");
  const installed = readJson(join(root, "node_modules/.package-lock.json"))?.packages;
  if (installed === undefined) return false;
  return Object.entries(locked).every(([path, { version, integrity, optional }]) => {
    if (path === "") return true;
    const found = installed[path];
    if (found === undefined) return optional === true;
    return found.version === version && (integrity === undefined || found.integrity === integrity);
  });
}

function install() {
  if (dependenciesInstalled()) return;
  say("installing dependencies (npm ci)");
  const outcome = spawnSync("npm", ["ci", "--include=dev", "--loglevel=error"], {
    cwd: root,
    stdio: ["ignore", 2, 2],
    shell: process.platform === "win32",
  });
  if (outcome.error !== undefined) throw new PrepareError(`npm could not be run: ${outcome.error.message}`);
  if (outcome.status !== 0) {
    throw new PrepareError(
      `npm ci failed (exit ${outcome.status ?? outcome.signal}); its message is above. ` +
        "A first start needs the network, or a registry mirror that npm is configured for.",
    );
  }
}

function regenerate(stamp) {
  const inputs = generationInputs();
  if (stamp.generationInputs === inputs && stamp.generated === generatedHash()) return;
  const changed = generate();
  if (changed.length > 0) say(`generated ${changed.join(", ")} from proto/`);
  stamp.generationInputs = inputs;
  stamp.generated = generatedHash();
}

function compiledPath(source) {
  return `dist/${source.replace(/\.ts$/, ".js")}`;
}

/** A source that is gone must not leave a program or a test behind that still runs. */
function removeStale(sources) {
  const wanted = new Set(sources.map(compiledPath));
  for (const folder of sourceFolders) {
    for (const path of filesUnder(join(root, "dist", folder))) {
      const owner = path.replace(/\.map$/, "");
      if (/\.js(\.map)?$/.test(path) && !wanted.has(owner)) rmSync(join(root, path));
    }
  }
}

function runCompiler() {
  const compiler = join(root, "node_modules/@typescript/native/bin/tsc");
  return spawnSync(process.execPath, [compiler, "-p", "."], { cwd: root, stdio: ["ignore", 2, 2] }).status;
}

function compile(stamp) {
  const sources = typescriptSources();
  const hash = hashFiles([...sources, "tsconfig.json", "package-lock.json"]);
  const missing = sources.filter((source) => !existsSync(join(root, compiledPath(source))));
  if (stamp.sources === hash && missing.length === 0) return;
  say(`compiling ${sources.length} files`);
  removeStale(sources);
  // The compiler's own memory does not notice outputs that were removed.
  if (missing.length > 0) rmSync(join(root, "dist/.tsbuildinfo"), { force: true });
  if (runCompiler() !== 0) throw new PrepareError("the sources do not compile; the compiler's messages are above.");
  stamp.sources = hash;
}

function prepare() {
  checkNode();
  install();
  if (process.argv.includes("--dependencies")) return;
  const stamp = readJson(stampPath) ?? {};
  const before = JSON.stringify(stamp);
  regenerate(stamp);
  compile(stamp);
  if (JSON.stringify(stamp) === before) return;
  mkdirSync(join(root, "dist"), { recursive: true });
  writeFileSync(stampPath, `${JSON.stringify(stamp, undefined, 2)}\n`);
}

try {
  prepare();
} catch (error) {
  say(error instanceof PrepareError ? error.message : error.stack);
  process.exitCode = 1;
}
