import { once } from "node:events";
import type { Writable } from "node:stream";
import { styleText } from "node:util";
import type { JsonValue } from "@bufbuild/protobuf";

type Style = Parameters<typeof styleText>[0];

/** A standard stream to print to. A reader that closes it is not an error: `head` has read what it wanted. */
export class Output {
  /** The stream, for code that writes to a terminal itself, such as a prompt. */
  readonly stream: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  #isClosed = false;

  /** @param onClosed called once, when the reader has closed the stream */
  constructor(stream: Writable & { readonly isTTY?: boolean }, onClosed: () => void = () => {}) {
    this.stream = stream;
    stream.on("error", () => {
      if (this.#isClosed) return;
      this.#isClosed = true;
      onClosed();
    });
  }

  get isTerminal(): boolean {
    return this.stream.isTTY === true;
  }

  /** Columns of the terminal; 80 without one. */
  get columns(): number {
    return this.stream.columns ?? 80;
  }

  /** Writes text. Resolves when the stream accepts more, so that a slow reader slows down a fast server. */
  async write(text: string): Promise<void> {
    if (this.#isClosed || this.stream.write(text)) return;
    await Promise.race([once(this.stream, "drain"), once(this.stream, "close")]).catch(() => {});
  }

  line(text = ""): Promise<void> {
    return this.write(`${text}\n`);
  }

  /** Writes an indented JSON document. */
  json(value: JsonValue): Promise<void> {
    return this.line(JSON.stringify(value, undefined, 2));
  }

  /** Styles text if the stream is a terminal; NO_COLOR and FORCE_COLOR take precedence. */
  style(style: Style, text: string): string {
    return styleText(style, text, { stream: this.stream });
  }
}
