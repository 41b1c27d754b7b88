/** Polls until the condition holds; the test runner's own limit ends what never does. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 20));
}

export function errorsOf(
  attempts: readonly { readonly counter: number | undefined; readonly outcome: number | string }[],
): (number | string)[] {
  return attempts.filter((attempt) => attempt.counter === undefined).map((attempt) => attempt.outcome);
}
