/** Whoever reads the output may have seen enough (`folio audit SG --all | head`): the process ends, and that is no failure. */
export function endWhenNobodyReads(): void {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit(0);
  });
}
