import { createInterface } from "node:readline";
import type { CallOptions } from "../call/call-method.ts";
import type { CommandContext } from "../frame/context.ts";
import { usageFailure } from "../frame/failure.ts";
import { openSchema } from "../schema/open-schema.ts";
import { readHeaders } from "../target/call-headers.ts";
import { openChannel } from "../target/open-channel.ts";
import { targetOf } from "../target/target-of.ts";
import { historyFile, readHistory, writeHistory } from "./history.ts";
import { PushQueue } from "./push-queue.ts";
import { ReplSession } from "./repl-session.ts";

/** `tercel call -i` */
export async function runRepl(
  methodText: string | undefined,
  options: CallOptions,
  context: CommandContext,
): Promise<void> {
  if (options.data.length > 0 || options.from !== undefined || options.save !== undefined) {
    throw usageFailure(
      "-d, --from and --save cannot be used with --interactive",
      "enter messages at the prompt; .save FILE saves a call",
    );
  }
  const channel = openChannel(options, context);
  try {
    const target = targetOf(options, context);
    const headers = readHeaders(options.header, context);
    const schema = await openSchema(options, context, () => ({ transport: channel, target, headers }));
    const session = new ReplSession({ transport: channel, target, schema, options, context });
    if (methodText !== undefined) await session.use(methodText);
    await readLines(session, context, target);
  } finally {
    await channel.close({ deadlineMs: 0 });
  }
}

async function readLines(session: ReplSession, context: CommandContext, target: string): Promise<void> {
  const isTerminal = context.stdin.isTTY === true;
  const file = historyFile(context.env);
  const lines = createInterface({
    input: context.stdin,
    // Standard output contains only responses.
    output: isTerminal ? context.stderr.stream : undefined,
    terminal: isTerminal,
    historySize: 1000,
    removeHistoryDuplicates: true,
    ...(isTerminal && { history: readHistory(file) }),
    completer: (line: string, done: (error: null, result: [string[], string]) => void) => {
      session.complete(line).then(
        ({ candidates, replaced }) => done(null, [[...candidates], replaced]),
        () => done(null, [[], line]),
      );
    },
  });
  if (isTerminal) await context.stderr.line(`calling ${target}; .help lists the commands, Ctrl-D exits`);
  let isClosed = false;
  const invite = (): void => {
    // Ctrl-D may be pressed while a call is running.
    if (!isTerminal || isClosed) return;
    lines.setPrompt(session.prompt);
    lines.prompt();
  };
  lines.on("history", (history: string[]) => writeHistory(file, history));
  lines.on("SIGINT", () => {
    const cancelled = session.cancel();
    // The result of the call is printed before the next prompt.
    if (cancelled === "call") return;
    if (cancelled === "message") return invite();
    // A second Ctrl-C exits.
    if (lines.line === "") lines.close();
    else lines.write(null, { ctrl: true, name: "u" });
  });
  // readline's own iterator does not end when it is left after its input has ended.
  const typed = new PushQueue<string>();
  lines.on("line", (line) => typed.push(line));
  lines.once("close", () => {
    isClosed = true;
    typed.end();
  });
  const stop = (): void => lines.close();
  context.signal.addEventListener("abort", stop, { once: true });
  try {
    invite();
    for await (const line of typed) {
      await session.take(line);
      if (session.isOver) break;
      invite();
    }
    await session.close();
  } finally {
    context.signal.removeEventListener("abort", stop);
    lines.close();
    if (isTerminal) await context.stderr.line();
  }
}
