import { type JsonValue, type Message, toJson } from "@bufbuild/protobuf";
import { printable } from "@tercel/grpc/internal";
import type { CommandContext } from "../frame/context.ts";
import { formatDuration } from "../frame/duration.ts";
import { jsonVersion, type OutputFormat } from "../frame/output-format.ts";
import { escapeControls, printMessage } from "../json/print-message.ts";
import type { FoundMethod } from "../schema/find-method.ts";
import type { CallSummary } from "./run-call.ts";

export const includedParts = ["headers", "trailers", "timing"] as const;
export type IncludedPart = (typeof includedParts)[number];

interface PrinterOptions {
  readonly emitDefaults?: boolean;
  readonly output?: OutputFormat;
}

/** Prints the responses of one call: each as it arrives, or with `-o json` all of them in one document. */
export class ResponsePrinter {
  readonly #found: FoundMethod;
  readonly #options: PrinterOptions;
  readonly #include: ReadonlySet<IncludedPart>;
  readonly #context: CommandContext;
  /** Responses so far; only with `-o json`. */
  readonly #collected: JsonValue[] = [];

  constructor(
    found: FoundMethod,
    options: PrinterOptions,
    include: ReadonlySet<IncludedPart>,
    context: CommandContext,
  ) {
    this.#found = found;
    this.#options = options;
    this.#include = include;
    this.#context = context;
  }

  async print(message: Message): Promise<void> {
    const { method, registry } = this.#found;
    const emitDefaults = this.#options.emitDefaults === true;
    if (this.#options.output === "json") {
      this.#collected.push(toJson(method.output, message, { registry, alwaysEmitImplicit: emitDefaults }));
      return;
    }
    const isStream = method.methodKind === "server_streaming" || method.methodKind === "bidi_streaming";
    const isCompact = isStream || this.#options.output === "ndjson";
    await this.#context.stdout.line(printMessage(method.output, message, { registry, emitDefaults, isCompact }));
  }

  async finish(summary: CallSummary): Promise<void> {
    const { stdout, stderr } = this.#context;
    const { headers, trailers, messages, headersMs, totalMs } = summary;
    if (this.#options.output === "json") {
      const document = {
        version: jsonVersion,
        status: "OK",
        headers: listHeaders(headers),
        messages: this.#collected,
        trailers: listHeaders(trailers),
        timing: { headersMs, totalMs },
      };
      return stdout.line(escapeControls(JSON.stringify(document, undefined, 2)));
    }
    const lines: string[] = [];
    if (this.#include.has("headers")) lines.push(...headerLines(headers));
    if (this.#include.has("trailers")) lines.push(...headerLines(trailers));
    if (this.#include.has("timing")) {
      const count = messages === 1 ? "1 message" : `${messages} messages`;
      lines.push(`${count} in ${formatDuration(totalMs)}, headers after ${formatDuration(headersMs)}`);
    }
    for (const line of lines) await stderr.line(stderr.style("dim", line));
  }
}

function headerLines(headers: Headers): string[] {
  return [...headers].map(([name, value]) => printable(`${name}: ${value}`, 4096));
}

/** Returns headers as pairs, because a name may occur more than once. */
function listHeaders(headers: Headers): JsonValue {
  return [...headers].map(([name, value]) => ({ name, value }));
}
