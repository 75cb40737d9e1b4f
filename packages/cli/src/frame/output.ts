import { once } from "node:events";
import type { Writable } from "node:stream";
import { styleText } from "node:util";
import type { JsonValue } from "@bufbuild/protobuf";

type Style = Parameters<typeof styleText>[0];

/** A standard stream to print on. A reader that goes away is no error: `head` has what it wanted. */
export class Output {
  /** For what writes on a terminal by itself, such as a prompt. */
  readonly stream: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  #isClosed = false;

  /** @param onClosed called once, when no one reads the stream any more */
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

  /** Columns of the terminal; 80 where there is none. */
  get columns(): number {
    return this.stream.columns ?? 80;
  }

  /** Resolves when the stream has room for more, so that a slow reader slows a fast server down. */
  async write(text: string): Promise<void> {
    if (this.#isClosed || this.stream.write(text)) return;
    await Promise.race([once(this.stream, "drain"), once(this.stream, "close")]).catch(() => {});
  }

  line(text = ""): Promise<void> {
    return this.write(`${text}\n`);
  }

  /** A document of its own, over several lines. */
  json(value: JsonValue): Promise<void> {
    return this.line(JSON.stringify(value, undefined, 2));
  }

  /** Colours and weights where the stream is a terminal; NO_COLOR and FORCE_COLOR decide before that. */
  style(style: Style, text: string): string {
    return styleText(style, text, { stream: this.stream });
  }
}
