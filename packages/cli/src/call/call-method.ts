import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Message } from "@bufbuild/protobuf";
import type { CommandContext } from "../frame/context.ts";
import { readDuration } from "../frame/duration.ts";
import { usageFailure } from "../frame/failure.ts";
import type { OutputFormat } from "../frame/output-format.ts";
import { suggestOneOf } from "../frame/suggestion.ts";
import { readMessageNode } from "../json/read-message.ts";
import { type FoundMethod, findMethod } from "../schema/find-method.ts";
import { openSchema } from "../schema/open-schema.ts";
import type { SchemaOptions } from "../schema/schema-options.ts";
import { readHeaders } from "../target/call-headers.ts";
import { openChannel } from "../target/open-channel.ts";
import { targetOf } from "../target/target-of.ts";
import type { TargetOptions } from "../target/target-options.ts";
import { recordMessages } from "./record-messages.ts";
import { readRequestData, readSingleRequest } from "./request-data.ts";
import { type IncludedPart, includedParts, ResponsePrinter } from "./response-printer.ts";
import { runCall } from "./run-call.ts";
import { formatSavedRequest, readSavedRequest, type SavedRequest } from "./saved-request.ts";

export interface CallOptions extends TargetOptions, SchemaOptions {
  readonly data: readonly string[];
  readonly deadline?: string;
  readonly include?: readonly string[];
  readonly emitDefaults?: boolean;
  readonly from?: string;
  readonly save?: string;
  readonly output?: OutputFormat;
}

/** `tercel call`: makes one call and prints its responses. */
export async function callMethod(
  methodText: string | undefined,
  given: CallOptions,
  context: CommandContext,
): Promise<void> {
  const saved = given.from === undefined ? undefined : readSavedRequest(given.from, context.cwd);
  const options = withSaved(given, saved);
  const wanted = methodText ?? saved?.method;
  if (wanted === undefined) throw usageFailure("missing method", "tercel list shows the services of a server");
  const include = readIncludedParts(options.include ?? []);
  const timeoutMs = options.deadline === undefined ? undefined : readDuration("--deadline", options.deadline);
  const headers = readHeaders(options.header, context);

  const channel = openChannel(options, context);
  try {
    const target = targetOf(options, context);
    const schema = await openSchema(options, context, () => ({ transport: channel, target, headers }));
    const found = await findMethod(schema, wanted, context.signal);
    const requests = requestsOf(found, options, saved, context);
    const recorder = options.save === undefined ? undefined : recordMessages(found, requests);
    const printer = new ResponsePrinter(found, options, include, context);
    const summary = await runCall(
      channel,
      { ...found, headers, timeoutMs, signal: context.signal, messages: recorder?.messages ?? requests },
      (message) => printer.print(message),
    );
    await printer.finish(summary);
    if (options.save !== undefined && recorder !== undefined) {
      const { method } = found;
      const name = `${method.parent.typeName}/${method.name}`;
      const text = formatSavedRequest({
        method: name,
        target,
        headers,
        deadline: options.deadline,
        data: recorder.json(),
      });
      writeFileSync(resolve(context.cwd, options.save), text);
      await context.stderr.line(`saved; to repeat the call: tercel call --from ${options.save}`);
    }
  } finally {
    await channel.close({ deadlineMs: 0 });
  }
}

/** Merges a saved request into the options. The command line takes precedence; its headers replace those of the same name. */
function withSaved(options: CallOptions, saved: SavedRequest | undefined): CallOptions {
  if (saved === undefined) return options;
  const nameOf = (line: string): string => (/^[^:=\s]+/.exec(line)?.[0] ?? "").toLowerCase();
  const given = new Set(options.header.map(nameOf));
  return {
    ...options,
    ...(options.target === undefined && saved.target !== undefined && { target: saved.target }),
    ...(options.deadline === undefined && saved.deadline !== undefined && { deadline: saved.deadline }),
    header: [...saved.headers.filter((line) => !given.has(nameOf(line))), ...options.header],
  };
}

/** Yields the messages to send: those of `-d`, else of the saved request, else an empty one or standard input. */
async function* requestsOf(
  found: FoundMethod,
  options: CallOptions,
  saved: SavedRequest | undefined,
  context: CommandContext,
): AsyncGenerator<Message> {
  const { method, registry } = found;
  const reader = { schema: method.input, registry };
  const takesStream = method.methodKind === "client_streaming" || method.methodKind === "bidi_streaming";
  const data = options.data.length === 0 ? saved?.data : undefined;
  if (data !== undefined) {
    if (!takesStream && data.nodes.length !== 1) {
      throw usageFailure(`${method.name} takes one message, and ${options.from} has ${data.nodes.length}`);
    }
    for (const node of data.nodes) yield readMessageNode(method.input, node, data.text, registry);
  } else if (!takesStream) {
    yield await readSingleRequest(options.data, reader, context);
  } else {
    if (options.data.length === 0 && context.stdin.isTTY === true) {
      await context.stderr.line("reading JSON messages from the terminal; Ctrl-D ends the stream");
    }
    yield* readRequestData(options.data.length === 0 ? ["@-"] : options.data, reader, context);
  }
}

function readIncludedParts(given: readonly string[]): ReadonlySet<IncludedPart> {
  for (const name of given) {
    if (includedParts.some((part) => part === name)) continue;
    const hint = suggestOneOf(name, includedParts, JSON.stringify);
    throw usageFailure(`invalid --include ${JSON.stringify(name)}: ${hint}`);
  }
  return new Set(given as readonly IncludedPart[]);
}
