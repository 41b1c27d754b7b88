/** What the domain can put into a period: it knows no later year, since a fiscal year may be the next one. */
const YEAR_MAX = "9998";

/** Whether YYYY-MM-DD, digits as they are, is a day of the calendar: no 30 February. */
export function isDay(text: string): boolean {
  const time = Date.parse(`${text}T00:00:00Z`);
  if (Number.isNaN(time)) return false;
  return new Date(time).toISOString().slice(0, 10) === text && text.slice(0, 4) <= YEAR_MAX;
}
