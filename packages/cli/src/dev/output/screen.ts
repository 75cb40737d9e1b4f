import { stripVTControlCharacters } from "node:util";
import type { Output } from "../../frame/output.ts";

/** Lines that come at once are written together. */
const frameMs = 16;
/** To the first column, where a key that was pressed may have left the cursor; up by so many lines; and erase what is below (ECMA-48, CUU and ED). */
const eraseLines = (count: number): string => `\r\u001b[${count}A\u001b[J`;

/**
 * Lines that scroll, and below them a few that stay and are drawn again when they change. Without a terminal there are only the lines that
 * scroll.
 */
export class Screen {
  readonly #stdout: Output;
  readonly #stderr: Output;
  readonly #status: () => readonly string[];
  #lines: { readonly output: Output; readonly text: string }[] = [];
  #drawn: readonly string[] = [];
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  /** @param status the lines that stay, as they are now */
  constructor(
    { stdout, stderr }: { readonly stdout: Output; readonly stderr: Output },
    status: () => readonly string[],
  ) {
    this.#stdout = stdout;
    this.#stderr = stderr;
    this.#status = status;
  }

  /** What services print: data. */
  log(line: string): void {
    this.#add(this.#stdout, line);
  }

  /** What this program says. */
  note(line: string): void {
    this.#add(this.#stderr, line);
  }

  /** The lines that stay have changed. */
  refresh(): void {
    if (!this.#stderr.isTerminal || this.#isClosed) return;
    this.#timer ??= setTimeout(() => this.#flush(), frameMs);
  }

  /** Writes what waits, and takes away the lines that stay. */
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
    // Lines of a pipe do not move what is on the terminal.
    const hasMoved = this.#lines.some(({ output }) => output.isTerminal);
    const isRedrawn = hasMoved || !isSame;
    if (isRedrawn && this.#drawn.length > 0) void this.#stderr.write(eraseLines(this.#drawn.length));
    for (const { output, text } of this.#lines) void output.line(text);
    this.#lines = [];
    if (!isRedrawn) return;
    if (status.length > 0) void this.#stderr.write(status.map((line) => `${line}\n`).join(""));
    this.#drawn = status;
  }

  /** A line that wraps would take two, and leave one behind when it is erased. */
  #fit(lines: readonly string[]): readonly string[] {
    const width = this.#stderr.columns - 1;
    return lines.map((line) => {
      const shown = stripVTControlCharacters(line);
      return shown.length <= width ? line : `${shown.slice(0, Math.max(0, width - 1))}…`;
    });
  }
}
