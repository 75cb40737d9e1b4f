import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { Code, ConnectError } from "@connectrpc/connect";
import type { WimGuard } from "../client/connect.ts";
import type { ExploreRequest, ExploreResponse } from "../gen/wimguard/v1/snapshot_pb.ts";
import type { CommonOptions, Console } from "./console.ts";
import { entryToJson, formatEntry } from "./entry-text.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { withDaemon } from "./with-daemon.ts";

/**
 * `wimguard snapshot explore`: a shell in a snapshot. On a terminal it shows a prompt; otherwise it runs each line of standard input as a
 * command, and fails if one of them fails.
 */
export async function explore(
  uuid: string,
  options: CommonOptions,
  output: Console,
  input: Readable & { readonly isTTY?: boolean } = process.stdin,
): Promise<ExitCode> {
  return withDaemon(options, async (wim) => {
    const shell = new ExploreShell(wim, uuid);
    const isTerminal = input.isTTY === true && options.json !== true;
    // Requests the folder, so that an unknown snapshot fails before the first prompt.
    let folder = await shell.folder();
    // Lines that arrive before they are awaited would be lost.
    const lines = createInterface({ input, terminal: isTerminal, ...(isTerminal && { output: process.stderr }) });
    let isOpen = true;
    lines.on("SIGINT", () => lines.close());
    lines.once("close", () => {
      isOpen = false;
      // Ctrl-D does not end the prompt's line.
      if (isTerminal) process.stderr.write("\n");
    });
    let hasFailed = false;
    const prompt = (): void => {
      if (!isTerminal || !isOpen) return;
      lines.setPrompt(`${folder}> `);
      lines.prompt();
    };
    try {
      prompt();
      for await (const line of lines) {
        if (/^\s*(?:exit|quit)\s*$/.test(line)) break;
        const error = await show(shell.run(line), output);
        if (error !== "") {
          hasFailed = true;
          output.problem(error);
        }
        if (/^\s*cd\b/.test(line) && isTerminal) folder = await shell.folder();
        prompt();
      }
    } finally {
      lines.close();
      await shell.close();
    }
    return hasFailed && !isTerminal ? exitCodes.failed : exitCodes.ok;
  });
}

/** Prints the responses of a command and returns its error. */
async function show(responses: AsyncIterable<ExploreResponse>, output: Console): Promise<string> {
  for await (const { text, entries, data, done, error } of responses) {
    if (text !== "") output.line(text, { text });
    for (const entry of entries) output.line(formatEntry(entry), entryToJson(entry));
    if (data.length > 0) await output.content(data);
    if (done) return error;
  }
  throw new ConnectError("the stream ended before the command did", Code.Internal);
}

/** Runs commands one after another over one call. */
class ExploreShell {
  readonly #uuid: string;
  readonly #requests: WritableStreamDefaultWriter<Partial<ExploreRequest>>;
  readonly #responses: AsyncIterator<ExploreResponse>;
  #lastId = 0n;

  constructor(wim: WimGuard, uuid: string) {
    this.#uuid = uuid;
    const { readable, writable } = new TransformStream<Partial<ExploreRequest>>();
    this.#requests = writable.getWriter();
    const requests = readable as unknown as AsyncIterable<ExploreRequest>;
    this.#responses = wim.snapshot.explore(requests)[Symbol.asyncIterator]();
  }

  /** Sends a line and yields its responses; the last one has `done` set. */
  async *run(line: string): AsyncGenerator<ExploreResponse> {
    const id = ++this.#lastId;
    // Resolves when the call can send it; the error of a failed call is in its responses.
    this.#requests.write({ id, line, snapshotUuid: this.#uuid }).catch(() => {});
    for (;;) {
      const { value, done } = await this.#responses.next();
      if (done === true) return;
      if (value.id !== id) continue;
      yield value;
      if (value.done) return;
    }
  }

  async folder(): Promise<string> {
    let folder = "/";
    for await (const { text } of this.run("pwd")) if (text !== "") folder = text;
    return folder;
  }

  async close(): Promise<void> {
    this.#requests.close().catch(() => {});
    await this.#responses.return?.();
  }
}
