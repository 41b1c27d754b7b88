/** What a checker found; a run ends with the first. */
export interface Violation {
  /** The checker's name: a mutant is caught by somebody. */
  readonly checker: string;
  readonly message: string;
}

export type ReportViolation = (checker: string, message: string) => void;
