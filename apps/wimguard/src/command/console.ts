import { once } from "node:events";
import { createInterface } from "node:readline/promises";
import type { Writable } from "node:stream";
import { Code, ConnectError } from "@connectrpc/connect";
import { readErrorReason, readHelp } from "@tercel/grpc/errors";
import { printable } from "@tercel/grpc/internal";
import type { BackupUpdate } from "../client/backup-to-end.ts";
import { createProgressMeter, type MeterOutput, type ProgressMeter } from "../terminal/progress-meter.ts";
import { exitCodeOf, NotConfirmed } from "./exit-codes.ts";

/** Options of every command. */
export interface CommonOptions {
  readonly server?: string;
  readonly timeout?: string;
  readonly dir?: string;
  readonly json?: true;
  readonly quiet?: true;
  readonly yes?: true;
}

/** Output streams of a command. */
export interface CommandIo {
  readonly out: Writable;
  /** Standard error; a progress bar is drawn if it is a terminal. */
  readonly err: Writable & { readonly isTTY?: boolean; readonly columns?: number };
}

const maxTextCharacters = 2_000;
/** Number of characters of a uuid to type for confirmation. */
const confirmedCharacters = 8;

/** Prints text, or with `--json` one object per line. */
export class Console {
  readonly #options: CommonOptions;
  readonly #io: CommandIo;
  readonly #meter: ProgressMeter | undefined;

  constructor(options: CommonOptions, io: CommandIo) {
    this.#options = options;
    this.#io = io;
    const isSilent = options.json === true || options.quiet === true;
    this.#meter = isSilent ? undefined : createProgressMeter(toMeterOutput(io));
  }

  /** Prints a result as text, or as JSON of type summary. */
  result(text: string, value: object): void {
    this.#meter?.end();
    if (this.#options.json === true) this.#line("summary", value);
    else this.#io.out.write(`${text}\n`);
  }

  /** Prints one of several results. */
  line(text: string, value: object): void {
    if (this.#options.json === true) this.#line("item", value);
    else this.#io.out.write(`${printable(text, maxTextCharacters)}\n`);
  }

  /** Writes raw bytes. */
  async content(bytes: Uint8Array): Promise<void> {
    if (!this.#io.out.write(bytes)) await once(this.#io.out, "drain");
  }

  /** Prints a note; not with `--json` or `--quiet`. */
  note(text: string): void {
    if (this.#options.json === true || this.#options.quiet === true) return;
    this.#meter?.end();
    this.#io.err.write(`${text}\n`);
  }

  /** Notes that a job is being cancelled. */
  cancelling(): void {
    this.note("cancelling; press Ctrl-C again to exit at once, while the daemon finishes the cancellation");
  }

  progress(update: Omit<BackupUpdate, "uuid"> & { readonly uuid: string }): void {
    if (this.#options.json === true) this.#line("progress", update);
    else this.#meter?.update(update);
  }

  warning(text: string): void {
    this.#meter?.end();
    if (this.#options.json === true) this.#line("warning", { message: text });
    else this.#io.err.write(`warning: ${printable(text, maxTextCharacters)}\n`);
  }

  /** Prints an error that does not end the command. */
  problem(message: string): void {
    this.#meter?.end();
    if (this.#options.json === true) this.#line("error", { message });
    else this.#io.err.write(`wimguard: ${printable(message, maxTextCharacters)}\n`);
  }

  error(error: unknown): void {
    this.#meter?.end();
    const { message, ...more } = describeError(error);
    if (this.#options.json === true) {
      this.#line("error", { message, ...more });
      return;
    }
    this.#io.err.write(`wimguard: ${printable(message, maxTextCharacters)}\n`);
    for (const { description } of readHelp(error))
      this.#io.err.write(`  ${printable(description, maxTextCharacters)}\n`);
  }

  /** Asks for confirmation unless `--yes` is set. @throws NotConfirmed for a wrong answer, and without a terminal */
  async confirm(question: string, answer: string, outcome = "nothing was deleted"): Promise<void> {
    if (this.#options.yes === true) return;
    if (!process.stdin.isTTY) throw new NotConfirmed(`${outcome}: confirmation needs a terminal; pass --yes`);
    const lines = createInterface({ input: process.stdin, output: this.#io.err });
    const given = await lines.question(question).finally(() => lines.close());
    if (given.trim() !== answer) throw new NotConfirmed(`${outcome}: the answer did not match`);
  }

  /** Asks for the beginning of the uuid of what is deleted permanently. @throws NotConfirmed as `confirm` does */
  confirmDeletion(uuid: string): Promise<void> {
    const question = `type the first ${confirmedCharacters} characters of the uuid to delete it permanently: `;
    return this.confirm(question, uuid.slice(0, confirmedCharacters));
  }

  #line(type: string, value: object): void {
    this.#io.out.write(`${JSON.stringify({ type, ...value })}\n`);
  }
}

function toMeterOutput({ err }: CommandIo): MeterOutput {
  return {
    write: (text) => void err.write(text),
    isTerminal: err.isTTY === true,
    columns: () => err.columns ?? 80,
    nowMs: () => performance.now(),
  };
}

function describeError(error: unknown): { message: string; code?: string; reason?: string; exitCode: number } {
  const exitCode = exitCodeOf(error);
  if (!(error instanceof ConnectError)) {
    return { message: error instanceof Error ? error.message : String(error), exitCode };
  }
  const reason = readErrorReason(error)?.reason;
  return { message: error.rawMessage, code: Code[error.code], ...(reason !== undefined && { reason }), exitCode };
}
