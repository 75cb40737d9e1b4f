import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { type JsonValue, type Message, toJson } from "@bufbuild/protobuf";
import type { Transport } from "@connectrpc/connect";
import type { CallOptions } from "../call/call-method.ts";
import { ResponsePrinter } from "../call/response-printer.ts";
import { runCall } from "../call/run-call.ts";
import { formatSavedRequest } from "../call/saved-request.ts";
import { declarationOf } from "../describe/declaration.ts";
import { type Described, findDescribed } from "../describe/describe-symbol.ts";
import type { CommandContext } from "../frame/context.ts";
import { readDuration } from "../frame/duration.ts";
import { usageFailure } from "../frame/failure.ts";
import { reportFailure, toFailure } from "../frame/report-failure.ts";
import { formatTable } from "../frame/table.ts";
import { completeAssignment } from "../json/complete-assignment.ts";
import { JsonSplitter } from "../json/json-splitter.ts";
import { jsonText } from "../json/json-text.ts";
import { readAssignments } from "../json/read-assignments.ts";
import { readMessage } from "../json/read-message.ts";
import { type FoundMethod, findMethod, findService } from "../schema/find-method.ts";
import { methodKindText } from "../schema/method-kind.ts";
import type { Schema } from "../schema/schema.ts";
import { readHeaders } from "../target/call-headers.ts";
import { type Completions, completeJson } from "./json-completion.ts";
import { parseInput, type ReplCommand, replCommands } from "./parse-input.ts";
import { PushQueue } from "./push-queue.ts";

export interface SessionSettings {
  readonly transport: Transport;
  readonly target: string;
  readonly schema: Schema;
  readonly options: CallOptions;
  readonly context: CommandContext;
}

/** A call whose request stream is open. */
interface OpenCall {
  readonly found: FoundMethod;
  readonly messages: PushQueue<Message>;
  readonly over: Promise<void>;
}

/** An interactive session, independent of the terminal that its lines are typed at. */
export class ReplSession {
  readonly #settings: SessionSettings;
  readonly #headers: Map<string, string>;
  #found: FoundMethod | undefined = undefined;
  #open: OpenCall | undefined = undefined;
  /** Cancels the running call. */
  #cancel: AbortController | undefined = undefined;
  #last: { readonly found: FoundMethod; readonly messages: Message[] } | undefined = undefined;
  /** The lines of an unfinished message. */
  #unfinished = "";
  isOver = false;

  constructor(settings: SessionSettings) {
    this.#settings = settings;
    this.#headers = new Map(settings.options.header.map((line) => [headerName(line), line]));
  }

  /** The prompt for the next line. */
  get prompt(): string {
    if (this.#unfinished !== "") return "... ";
    const name = this.#found === undefined ? "tercel" : `${this.#found.method.parent.name}/${this.#found.method.name}`;
    return this.#open === undefined ? `${name}> ` : `${name} (stream)> `;
  }

  /** Processes one line. Resolves when the next may be typed. Errors are printed and do not end the session. */
  async take(line: string): Promise<void> {
    try {
      const text = this.#unfinished === "" ? line : `${this.#unfinished}\n${line}`;
      if (isUnfinished(text)) {
        this.#unfinished = text;
        return;
      }
      this.#unfinished = "";
      await this.#run(text);
    } catch (error) {
      this.#unfinished = "";
      await reportFailure(this.#context, toFailure(error, this.#context.signal), false);
    }
  }

  /** Handles Ctrl-C: cancels the call, else discards an unfinished message. Returns which of them it found. */
  cancel(): "call" | "message" | undefined {
    const found = this.#cancel !== undefined ? "call" : this.#unfinished !== "" ? "message" : undefined;
    this.#cancel?.abort();
    this.#unfinished = "";
    return found;
  }

  /** Ends the open stream and waits for the end of its call. */
  async close(): Promise<void> {
    this.#open?.messages.end();
    await this.#open?.over;
  }

  /** Selects the method of the following messages. @param text with the service, or a method of the current one */
  async use(text: string): Promise<void> {
    this.#found = await this.#find(text);
  }

  async complete(line: string): Promise<Completions> {
    const text = this.#unfinished === "" ? line : `${this.#unfinished}\n${line}`;
    const [, method, json] = jsonLine.exec(text) ?? [];
    if (json !== undefined) {
      const found = method === undefined ? this.#found : await this.#find(method);
      return found === undefined ? { candidates: [], replaced: "" } : completeJson(found.method.input, json);
    }
    const wordAt = line.length - (line.split(/\s/).at(-1) ?? "").length;
    const [before, word] = [line.slice(0, wordAt), line.slice(wordAt)];
    if (before.trim() === "" && word.startsWith(".")) {
      return startingWith(
        word,
        Object.keys(replCommands).map((name) => `.${name} `),
      );
    }
    const [first = "", ...others] = before.trim().split(/\s+/);
    const isFirst = first === "";
    const names = isFirst || first.startsWith(".") ? await this.#symbols(word).catch(() => []) : [];
    const hasMethod = /^(?:[\w.]+\/)?\w+$/.test(first);
    const found = hasMethod ? await this.#find(first).catch(() => undefined) : this.#found;
    const isAssignment = !first.startsWith(".") && found !== undefined;
    const fields = isAssignment
      ? completeAssignment(found.method.input, word, hasMethod ? others : [first, ...others])
      : [];
    return startingWith(word, [...names, ...fields]);
  }

  #find(text: string): Promise<FoundMethod> {
    const service = this.#found?.method.parent.typeName;
    const isOfService = service !== undefined && !/[./]/.test(text);
    return findMethod(this.#settings.schema, isOfService ? `${service}/${text}` : text, this.#context.signal);
  }

  get #context(): CommandContext {
    return this.#settings.context;
  }

  async #symbols(word: string): Promise<string[]> {
    const { schema, context } = this.#settings;
    if (!word.includes("/")) {
      const services = await schema.listServices(context.signal);
      const methods = this.#found?.method.parent.methods ?? [];
      return [...methods.map(({ name }) => `${name} `), ...services.map((name) => `${name}/`)];
    }
    const { service } = await findService(schema, word.slice(0, word.indexOf("/")), context.signal);
    return service.methods.map(({ name }) => `${word.slice(0, word.indexOf("/"))}/${name} `);
  }

  async #run(line: string): Promise<void> {
    const input = parseInput(line);
    switch (input.kind) {
      case "nothing":
        return;
      case "command":
        return this.#command(input.name, input.argument);
      case "method":
        await this.use(input.method);
        if (input.message !== "") await this.#run(input.message);
        return;
      case "json": {
        const { method, registry } = this.#chosen();
        return this.#send(readMessage(method.input, jsonText("input", input.text), registry));
      }
      case "assignments": {
        const { method, registry } = this.#chosen();
        return this.#send(readAssignments(method.input, input.assignments, registry));
      }
    }
  }

  #chosen(): FoundMethod {
    if (this.#found === undefined)
      throw usageFailure("no method selected", "enter SERVICE/METHOD; .list shows the services");
    return this.#found;
  }

  async #command(name: ReplCommand, argument: string): Promise<void> {
    const { stdout, stderr } = this.#context;
    switch (name) {
      case "help":
        await stderr.write(
          formatTable(
            [],
            Object.entries(replCommands).map(([command, text]) => [`.${command}`, text]),
          ),
        );
        return stderr.line(
          "all other input is a method (SERVICE/METHOD, or METHOD of the current service), a JSON message, or FIELD=VALUE …",
        );
      case "list":
        return this.#list(argument);
      case "describe":
        return stdout.line(declarationOf(await this.#described(argument)));
      case "use":
        return this.use(argument);
      case "header":
        this.#setHeader(argument);
        return;
      case "end":
        if (this.#open === undefined) throw usageFailure("no stream is open");
        return this.close();
      case "cancel":
        if (this.cancel() !== "call") throw usageFailure("no call is running");
        return this.#open?.over;
      case "again": {
        const last = this.#last?.messages.at(-1);
        if (last === undefined) throw usageFailure("nothing has been sent yet");
        this.#found = this.#last?.found;
        return this.#send(last);
      }
      case "save":
        return this.#save(argument);
      case "exit":
        this.isOver = true;
        return this.close();
    }
  }

  async #list(argument: string): Promise<void> {
    const { schema, context } = this.#settings;
    if (argument === "") {
      for (const name of await schema.listServices(context.signal)) await context.stdout.line(name);
      return;
    }
    const { service } = await findService(schema, argument, context.signal);
    const rows = service.methods.map(({ name, methodKind }) => [
      `${service.typeName}/${name}`,
      methodKindText(methodKind),
    ]);
    await context.stdout.write(formatTable([], rows));
  }

  async #described(symbol: string): Promise<Described> {
    if (symbol === "") return this.#chosen().method;
    return findDescribed(this.#settings.schema, symbol, this.#context.signal);
  }

  #setHeader(line: string): void {
    const name = headerName(line);
    const isRemoved = /^[^:=\s]+\s*[:=]?$/.test(line.trimEnd());
    if (isRemoved) this.#headers.delete(name);
    else {
      readHeaders([line], this.#context);
      this.#headers.set(name, line);
    }
  }

  #save(file: string): void {
    if (file === "") throw usageFailure("missing file name: .save requests/hello.yaml");
    if (this.#last === undefined) throw usageFailure("nothing has been sent yet");
    const { found, messages } = this.#last;
    const json: JsonValue[] = messages.map((message) =>
      toJson(found.method.input, message, { registry: found.registry }),
    );
    const text = formatSavedRequest({
      method: `${found.method.parent.typeName}/${found.method.name}`,
      target: this.#settings.target,
      headers: readHeaders([...this.#headers.values()], this.#context),
      deadline: this.#settings.options.deadline,
      data: takesStream(found) ? json : json.at(-1),
    });
    writeFileSync(resolve(this.#context.cwd, file), text);
  }

  async #send(message: Message): Promise<void> {
    const found = this.#chosen();
    if (this.#open !== undefined) {
      if (this.#open.found.method !== found.method)
        throw usageFailure(`the stream to ${this.#open.found.method.name} is still open: .end or .cancel it first`);
      this.#last?.messages.push(message);
      this.#open.messages.push(message);
      return;
    }
    this.#last = { found, messages: [message] };
    const messages = new PushQueue<Message>();
    messages.push(message);
    const over = this.#call(found, messages);
    if (!takesStream(found)) {
      messages.end();
      return over;
    }
    this.#open = { found, messages, over: over.finally(() => (this.#open = undefined)) };
  }

  /** Makes a call and prints its responses or its failure. */
  async #call(found: FoundMethod, messages: PushQueue<Message>): Promise<void> {
    const { transport, options, context } = this.#settings;
    const controller = new AbortController();
    this.#cancel = controller;
    try {
      const printer = new ResponsePrinter(found, options, new Set(["timing"]), context);
      const summary = await runCall(
        transport,
        {
          ...found,
          headers: readHeaders([...this.#headers.values()], context),
          timeoutMs: options.deadline === undefined ? undefined : readDuration("--deadline", options.deadline),
          signal: AbortSignal.any([controller.signal, context.signal]),
          messages,
        },
        (message) => printer.print(message),
      );
      await printer.finish(summary);
    } catch (error) {
      if (controller.signal.aborted) await context.stderr.line("cancelled");
      else await reportFailure(context, toFailure(error, context.signal), false);
    } finally {
      this.#cancel = undefined;
    }
  }
}

function takesStream({ method }: FoundMethod): boolean {
  return method.methodKind === "client_streaming" || method.methodKind === "bidi_streaming";
}

function headerName(line: string): string {
  return (/^[^:=\s]+/.exec(line)?.[0] ?? "").toLowerCase();
}

/** A JSON message, with or without its method: `UserService/GetUser {"id": "1"}`. */
const jsonLine = /^\s*(?:((?:[\w.]+\/)?\w+)\s+)?([{["].*)$/s;

/** Whether a JSON message continues on the next line. */
function isUnfinished(text: string): boolean {
  const json = jsonLine.exec(text)?.[2];
  if (json === undefined) return false;
  const splitter = new JsonSplitter("input");
  splitter.push(json);
  return splitter.isInside;
}

function startingWith(word: string, names: readonly string[]): Completions {
  return { candidates: names.filter((name) => name.startsWith(word)), replaced: word };
}
