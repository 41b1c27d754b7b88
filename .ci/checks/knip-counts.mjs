/** A knip reporter: everything as one line of JSON, with the number of files that knip looked at. */
export default function report({ issues, counters, configurationHints }) {
  const found = Object.entries(issues).flatMap(([type, byFile]) =>
    byFile instanceof Set
      ? [...byFile].map((path) => ({ type, path: String(path), symbol: "" }))
      : Object.entries(byFile ?? {}).flatMap(([path, bySymbol]) =>
          Object.values(bySymbol).map((issue) => ({
            type,
            path: issue.filePath ?? path,
            symbol: type === "files" ? "" : issue.symbol,
          })),
        ),
  );
  const hints = [...configurationHints.values()].map(({ type, identifier }) => `${type}: ${identifier}`);
  process.stdout.write(`${JSON.stringify({ found, processed: counters.processed, hints })}\n`);
}
