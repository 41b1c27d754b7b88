import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { filesUnder, hashFiles, root } from "./paths.mjs";

const templates = ["buf.gen.yaml", "buf.gen.public.yaml"];
const generatedFolder = "src/generated";

/** What the generated code is made from: the protocols, the templates, and the generators' versions. */
export function generationInputs() {
  return hashFiles([...filesUnder(join(root, "proto")), ...templates, "buf.yaml", "package-lock.json"]);
}

export function generatedHash() {
  return hashFiles(filesUnder(join(root, generatedFolder)));
}

function buf(...parameters) {
  execFileSync(process.execPath, [join(root, "node_modules/@bufbuild/buf/bin/buf"), ...parameters], {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
  });
}

/** Generates everything into a temporary folder, hands `use` the folder's copy of src/generated, and removes it. */
function withGenerated(use) {
  const folder = mkdtempSync(join(tmpdir(), "folio-generate-"));
  try {
    for (const template of templates) buf("generate", "--template", template, "-o", folder);
    return use(join(folder, generatedFolder));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function differences(fresh) {
  const wanted = filesUnder(fresh, fresh);
  const committed = filesUnder(join(root, generatedFolder), join(root, generatedFolder));
  if (wanted.length === 0) throw new Error("buf generated nothing");
  const changed = wanted.filter(
    (path) =>
      !committed.includes(path) ||
      !readFileSync(join(fresh, path)).equals(readFileSync(join(root, generatedFolder, path))),
  );
  return { wanted, changed, stale: committed.filter((path) => !wanted.includes(path)) };
}

/** Brings src/generated up to date, touching only what differs. @returns the paths that changed */
export function generate() {
  return withGenerated((fresh) => {
    const { changed, stale } = differences(fresh);
    for (const path of changed) cpSync(join(fresh, path), join(root, generatedFolder, path));
    for (const path of stale) rmSync(join(root, generatedFolder, path));
    return [...changed, ...stale];
  });
}

/** @returns how src/generated differs from what proto/ says, and how many files were compared */
export function compareGenerated() {
  return withGenerated(differences);
}
