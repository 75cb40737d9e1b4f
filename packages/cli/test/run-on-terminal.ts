// A command line on a terminal that a test reads and types on.
import { PassThrough, Writable } from "node:stream";
import { stripVTControlCharacters } from "node:util";
import { runCommandLine } from "../src/command-line.ts";
import { Output } from "../src/frame/output.ts";

/** Runs a command line on a terminal on which keys are pressed when a text appears. */
export async function runOnTerminal(
  args: readonly string[],
  cwd: string,
  keys: Readonly<Record<string, readonly string[]>>,
  env: Readonly<Record<string, string>> = { PATH: "" },
): Promise<{ readonly exitCode: number; readonly shown: string; readonly stdout: string }> {
  const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode() {} });
  const waiting = new Map(Object.entries(keys));
  let shown = "";
  const screen = Object.assign(
    new Writable({
      decodeStrings: false,
      write(chunk, _encoding, done) {
        shown += chunk.toString();
        for (const [text, pressed] of waiting) {
          if (!stripVTControlCharacters(shown).includes(text)) continue;
          waiting.delete(text);
          // One after the other, as a person presses them.
          void (async () => {
            for (const key of pressed) {
              await new Promise(setImmediate);
              stdin.write(key);
            }
          })();
        }
        done();
      },
    }),
    { isTTY: true, columns: 100, rows: 40 },
  );
  let stdout = "";
  const data = new Writable({
    write(chunk, _encoding, done) {
      stdout += chunk.toString();
      done();
    },
  });
  const exitCode = await runCommandLine(args, {
    stdin,
    stdout: new Output(data),
    stderr: new Output(screen),
    env,
    cwd,
    signal: new AbortController().signal,
  });
  return { exitCode, shown: stripVTControlCharacters(shown), stdout };
}
