import { PassThrough, Readable, Writable } from "node:stream";
import { runCommandLine } from "../src/command-line.ts";
import { Output } from "../src/frame/output.ts";

export interface CliRun {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** What standard input holds; nothing without. */
  readonly input?: string | Readable;
  readonly signal?: AbortSignal;
  /** Sees standard output as it comes. */
  readonly onStdout?: (text: string) => void;
  /** Sees standard error as it comes. */
  readonly onStderr?: (text: string) => void;
}

/** Runs a command line in this process, without a terminal. */
export async function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliRun> {
  const stdout = new TextSink(options.onStdout);
  const stderr = new TextSink(options.onStderr);
  const exitCode = await runCommandLine(args, {
    stdin:
      typeof options.input === "string" ? Readable.from([Buffer.from(options.input)]) : (options.input ?? emptyInput()),
    stdout: new Output(stdout),
    stderr: new Output(stderr),
    env: { PATH: process.env.PATH, ...options.env },
    cwd: options.cwd ?? process.cwd(),
    signal: options.signal ?? new AbortController().signal,
  });
  return { exitCode, stdout: stdout.text, stderr: stderr.text };
}

function emptyInput(): Readable {
  return new PassThrough().end();
}

class TextSink extends Writable {
  text = "";
  readonly #onText: ((text: string) => void) | undefined;

  constructor(onText?: (text: string) => void) {
    super({ decodeStrings: false });
    this.#onText = onText;
  }

  override _write(chunk: Buffer | string, _encoding: string, done: () => void): void {
    const text = chunk.toString();
    this.text += text;
    this.#onText?.(text);
    done();
  }
}
