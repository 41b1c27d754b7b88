import type { Clock, Timer, Timers } from "../../../src/replica/ports.js";
import type { EventOwner, EventQueue, SimulatedEvent } from "./event-queue.js";

/** A timer never fires early, whatever its clock's rate does to the last digit. */
const TIMER_SLACK_MS = 0.001;

/** What all wall clocks of a run go by: they can be set together. */
export interface Calendar {
  /** Of the beginning of the run, in ms since 1970, as it is thought to have been now. */
  originMs: number;
}

/**
 * One node's clocks, timers and event loop. What was scheduled before a crash never runs after it;
 * what happens during a pause waits, and when the node goes on its late timers come first, then
 * what its sockets and its disk hold, then what was put off until input was read.
 */
export class NodeTime implements Clock, Timers, EventOwner {
  readonly #queue: EventQueue;
  /** How fast this node's clocks run. */
  readonly #rate: number;
  readonly #calendar: Calendar;
  #life = 0;
  #waiting: SimulatedEvent[] | undefined;
  #afterInput: (() => void)[] = [];
  /** How far the wall clock was set wrong, ms. */
  wallOffsetMs: number;

  constructor(queue: EventQueue, calendar: Calendar, clock: { readonly rate: number; readonly offsetMs: number }) {
    this.#queue = queue;
    this.#calendar = calendar;
    this.#rate = clock.rate;
    this.wallOffsetMs = clock.offsetMs;
  }

  get life(): number {
    return this.#life;
  }

  get isPaused(): boolean {
    return this.#waiting !== undefined;
  }

  monotonic(): number {
    return this.#queue.nowMs * this.#rate;
  }

  wall(): number {
    return this.#calendar.originMs + Math.floor(this.#queue.nowMs * this.#rate) + this.wallOffsetMs;
  }

  after(delayMs: number, callback: () => void): Timer {
    const event = this.#queue.schedule(delayMs / this.#rate + TIMER_SLACK_MS, "timer", this, callback);
    return {
      cancel: () => {
        event.cancelled = true;
      },
    };
  }

  afterInput(callback: () => void): void {
    this.#afterInput.push(callback);
  }

  get hasAfterInput(): boolean {
    return this.#afterInput.length > 0;
  }

  /** Runs what was put off until input was read, and what that puts off in turn. */
  runAfterInput(): void {
    while (this.#afterInput.length > 0 && this.#waiting === undefined) this.#runOneRound();
  }

  #runOneRound(): void {
    const callbacks = this.#afterInput;
    this.#afterInput = [];
    const life = this.#life;
    for (const callback of callbacks) if (life === this.#life) callback();
  }

  /** Runs the event, or keeps it until the node goes on. Returns whether it ran. */
  offer(event: SimulatedEvent): boolean {
    if (event.life !== this.#life || event.cancelled) return false;
    if (this.#waiting !== undefined) {
      this.#waiting.push(event);
      return false;
    }
    event.run();
    return true;
  }

  /** The process is gone, and with it everything it had in mind. */
  crash(): void {
    this.#life++;
    this.#waiting = undefined;
    this.#afterInput = [];
  }

  /** As SIGSTOP: nothing runs; the kernel goes on taking in what arrives. */
  pause(): void {
    this.#waiting ??= [];
  }

  /** Whether a leader of at least that term was heard lately, though its words were not read yet. */
  isHeartbeatWaiting(term: number, withinMs: number): boolean {
    const oldestMs = this.#queue.nowMs - withinMs / 2;
    return (
      this.#waiting?.some(
        ({ heartbeatTerm, atMs }) => heartbeatTerm > 0 && heartbeatTerm >= term && atMs >= oldestMs,
      ) === true
    );
  }

  resume(): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    this.#waiting = undefined;
    for (const event of waiting) if (event.kind === "timer") this.offer(event);
    const input = waiting.filter(({ kind }) => kind !== "timer");
    const half = Math.ceil(input.length / 2);
    for (const event of input.slice(0, half)) this.offer(event);
    this.#runOneRound();
    for (const event of input.slice(half)) this.offer(event);
  }
}
