/** A bug to plant in a copy of the compiled product: production cannot reach it. */
export interface Mutant {
  readonly name: string;
  /** What it stands for: a number of the classic bugs (test/scenarios), or a word. */
  readonly bug: string;
  readonly patches: readonly Patch[];
}

export interface Patch {
  /** Of the compiled file, below the folder that holds src/. */
  readonly file: string;
  /** Must occur exactly once: a source that changes breaks its mutants loudly. */
  readonly find: string;
  readonly replace: string;
}
