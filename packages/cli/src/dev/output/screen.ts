import { stripVTControlCharacters } from "node:util";
import type { Output } from "../../frame/output.ts";

/** Lines within this time are written together. */
const frameMs = 16;
/** Moves to the first column, which a key press may have left; up by `count` lines; and erases below (ECMA-48, CUU and ED). */
const eraseLines = (count: number): string => `\r\u001b[${count}A\u001b[J`;

/**
 * Writes scrolling lines and, below them, a few fixed status lines that are redrawn when they change. Without a terminal there are only
 * scrolling lines.
 */
export class Screen {
  readonly #stdout: Output;
  readonly #stderr: Output;
  readonly #status: () => readonly string[];
  #lines: { readonly output: Output; readonly text: string }[] = [];
  #drawn: readonly string[] = [];
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  /** @param status returns the current status lines */
  constructor(
    { stdout, stderr }: { readonly stdout: Output; readonly stderr: Output },
    status: () => readonly string[],
  ) {
    this.#stdout = stdout;
    this.#stderr = stderr;
    this.#status = status;
  }

  /** Writes the output of a service to standard output. */
  log(line: string): void {
    this.#add(this.#stdout, line);
  }

  /** Writes a message of this program to standard error. */
  note(line: string): void {
    this.#add(this.#stderr, line);
  }

  /** Redraws the status lines after a change. */
  refresh(): void {
    if (!this.#stderr.isTerminal || this.#isClosed) return;
    this.#timer ??= setTimeout(() => this.#flush(), frameMs);
  }

  /** Writes pending lines and removes the status lines. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#flush();
  }

  #add(output: Output, text: string): void {
    this.#lines.push({ output, text });
    if (this.#isClosed) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), this.#stderr.isTerminal ? frameMs : 0);
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const status = this.#isClosed || !this.#stderr.isTerminal ? [] : this.#fit(this.#status());
    const isSame = status.length === this.#drawn.length && status.every((line, at) => line === this.#drawn[at]);
    // Lines written to a pipe do not scroll the terminal.
    const hasMoved = this.#lines.some(({ output }) => output.isTerminal);
    const isRedrawn = hasMoved || !isSame;
    if (isRedrawn && this.#drawn.length > 0) void this.#stderr.write(eraseLines(this.#drawn.length));
    for (const { output, text } of this.#lines) void output.line(text);
    this.#lines = [];
    if (!isRedrawn) return;
    if (status.length > 0) void this.#stderr.write(status.map((line) => `${line}\n`).join(""));
    this.#drawn = status;
  }

  /** Truncates lines to the width: a wrapped line would take two rows, of which only one would be erased. */
  #fit(lines: readonly string[]): readonly string[] {
    const width = this.#stderr.columns - 1;
    return lines.map((line) => {
      const shown = stripVTControlCharacters(line);
      return shown.length <= width ? line : `${shown.slice(0, Math.max(0, width - 1))}…`;
    });
  }
}
