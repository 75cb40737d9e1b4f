import { createInterface } from "node:readline/promises";
import { Code, ConnectError } from "@connectrpc/connect";
import { readErrorReason, readHelp } from "@tercel/grpc/errors";
import { printable } from "@tercel/grpc/internal";
import type { BackupUpdate } from "../client/backup-to-end.ts";
import { createProgressMeter, type ProgressMeter } from "../terminal/progress-meter.ts";
import { exitCodeOf, NotConfirmed } from "./exit-codes.ts";

/** Options that every command has. */
export interface CommonOptions {
  readonly server?: string;
  readonly timeout?: string;
  readonly dir?: string;
  readonly json?: true;
  readonly quiet?: true;
  readonly yes?: true;
}

const maxTextCharacters = 2_000;

/** Where a command prints: text for people, or with `--json` one object a line. */
export class Console {
  readonly #options: CommonOptions;
  readonly #meter: ProgressMeter | undefined;

  constructor(options: CommonOptions) {
    this.#options = options;
    const isSilent = options.json === true || options.quiet === true;
    this.#meter = isSilent ? undefined : createProgressMeter(meterOutput);
  }

  /** A result, for people and for machines. */
  result(text: string, value: object): void {
    this.#meter?.end();
    if (this.#options.json === true) this.#line("summary", value);
    else process.stdout.write(`${text}\n`);
  }

  /** Something on the way that only people want to know. */
  note(text: string): void {
    if (this.#options.json === true || this.#options.quiet === true) return;
    this.#meter?.end();
    process.stderr.write(`${text}\n`);
  }

  /** A job is being cancelled, which takes a moment. */
  cancelling(): void {
    this.note("cancelling; a second Ctrl-C leaves at once, and the daemon finishes without this command");
  }

  progress(update: Omit<BackupUpdate, "uuid"> & { readonly uuid: string }): void {
    if (this.#options.json === true) this.#line("progress", update);
    else this.#meter?.update(update);
  }

  warning(text: string): void {
    this.#meter?.end();
    if (this.#options.json === true) this.#line("warning", { message: text });
    else process.stderr.write(`warning: ${printable(text, maxTextCharacters)}\n`);
  }

  error(error: unknown): void {
    this.#meter?.end();
    const { message, ...more } = describeError(error);
    if (this.#options.json === true) {
      this.#line("error", { message, ...more });
      return;
    }
    process.stderr.write(`wimguard: ${printable(message, maxTextCharacters)}\n`);
    for (const { description } of readHelp(error))
      process.stderr.write(`  ${printable(description, maxTextCharacters)}\n`);
  }

  /** @throws NotConfirmed unless the answer is right; without a terminal and `--yes` there is none */
  async confirm(question: string, answer: string): Promise<void> {
    if (this.#options.yes === true) return;
    if (!process.stdin.isTTY) throw new NotConfirmed("nothing was deleted: there is no terminal to ask; pass --yes");
    const lines = createInterface({ input: process.stdin, output: process.stderr });
    const given = await lines.question(question).finally(() => lines.close());
    if (given.trim() !== answer) throw new NotConfirmed("nothing was deleted: the answer was not the one asked for");
  }

  #line(type: string, value: object): void {
    process.stdout.write(`${JSON.stringify({ type, ...value })}\n`);
  }
}

const meterOutput = {
  write: (text: string) => void process.stderr.write(text),
  isTerminal: process.stderr.isTTY === true,
  columns: () => process.stderr.columns ?? 80,
  nowMs: () => performance.now(),
};

function describeError(error: unknown): { message: string; code?: string; reason?: string; exitCode: number } {
  const exitCode = exitCodeOf(error);
  if (!(error instanceof ConnectError)) {
    return { message: error instanceof Error ? error.message : String(error), exitCode };
  }
  const reason = readErrorReason(error)?.reason;
  return { message: error.rawMessage, code: Code[error.code], ...(reason !== undefined && { reason }), exitCode };
}
