// Runs in a browser. The tests bundle it and call its functions.

import { create, type DescMethod, fromBinary, type Message, toBinary } from "@bufbuild/protobuf";
import { createClient, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import { createReconnectingStream, createWebSocketTransport, matchError } from "@tercel/gateway/browser";
import { GrpcWebClientBase, MethodDescriptor, type RpcError } from "grpc-web";
import { Library } from "../gen/tercel/gateway/test/v1/library_pb.ts";

export type PageProtocol = "connect" | "connect-json" | "grpc-web" | "websocket";

function createTransport(baseUrl: string, protocol: PageProtocol): Transport {
  const fetchOptions = { credentials: "include" as const };
  if (protocol === "grpc-web")
    return createGrpcWebTransport({ baseUrl, fetch: (url, init) => fetch(url, { ...init, ...fetchOptions }) });
  const connect = createConnectTransport({
    ...{ baseUrl, useBinaryFormat: protocol === "connect", useHttpGet: true },
    fetch: (url, init) => fetch(url, { ...init, ...fetchOptions }),
  });
  return protocol === "websocket" ? createWebSocketTransport(baseUrl, { unary: connect }) : connect;
}

/** The descriptor of a method that protoc-gen-grpc-web would generate. */
function describe(method: DescMethod): MethodDescriptor<Message, Message> {
  const kind = method.methodKind === "unary" ? "unary" : "server_streaming";
  const path = `/${method.parent.typeName}/${method.name}`;
  // Used as a name only.
  const type = Object as unknown as new () => Message;
  return new MethodDescriptor(
    ...[path, kind, type, type],
    (message: Message) => toBinary(method.input, message),
    (bytes: Uint8Array) => fromBinary(method.output, bytes),
  );
}

/** The functions for the tests. Arguments and results are JSON. */
const page = {
  async unary(baseUrl: string, protocol: PageProtocol) {
    let servedBy: string | null = null;
    let cost: string | null = null;
    const book = await createClient(Library, createTransport(baseUrl, protocol)).getBook(
      { name: "shelves/7/books/1" },
      {
        headers: { "x-asked-by": "page" },
        onHeader: (header) => {
          servedBy = header.get("x-served-by");
        },
        onTrailer: (trailer) => {
          cost = trailer.get("x-cost");
        },
      },
    );
    return { title: book.title, pages: book.pageCount.toString(), servedBy, cost };
  },

  async stream(baseUrl: string, protocol: PageProtocol, count: number) {
    const tokens: string[] = [];
    for await (const event of createClient(Library, createTransport(baseUrl, protocol)).watchBooks({ count })) {
      tokens.push(event.resumeToken);
    }
    return tokens;
  },

  /** The call fails after one message. */
  async failingStream(baseUrl: string, protocol: PageProtocol) {
    const tokens: string[] = [];
    try {
      const events = createClient(Library, createTransport(baseUrl, protocol)).watchBooks({ count: 3, failAfter: 1 });
      for await (const event of events) tokens.push(event.resumeToken);
    } catch (error) {
      return matchError(error, {
        Unavailable: ({ message, retryAfterMs }) => ({ tokens, message, retryAfterMs }),
      });
    }
    return undefined;
  },

  async fieldErrors(baseUrl: string, protocol: PageProtocol) {
    try {
      await createClient(Library, createTransport(baseUrl, protocol)).createBook({ shelf: "1", book: {} });
    } catch (error) {
      return matchError<unknown>(error, {
        InvalidArgument: ({ fields }) => fields.map(({ field, description }) => `${field}: ${description}`),
        otherwise: ({ message }) => message,
      });
    }
    return undefined;
  },

  /** Sends each message after the response to the previous one. */
  async chat(baseUrl: string, texts: readonly string[]) {
    const answers: string[] = [];
    let wake = (): void => {};
    async function* ask() {
      for (const text of texts) {
        yield { text };
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
    const headers = { authorization: "Bearer page" };
    for await (const { text } of createClient(Library, createTransport(baseUrl, "websocket")).chat(ask(), {
      headers,
    })) {
      answers.push(text);
      wake();
    }
    return answers;
  },

  async imported(baseUrl: string, count: number) {
    async function* books() {
      for (let at = 0; at < count; at++) yield { shelf: "a".repeat(10_000) };
    }
    const client = createClient(Library, createTransport(baseUrl, "websocket"));
    return (await client.importBooks(books())).count;
  },

  async cancelled(baseUrl: string, protocol: PageProtocol) {
    const abort = new AbortController();
    const events = createClient(Library, createTransport(baseUrl, protocol)).watchBooks(
      { count: 2_000_000_000 },
      { signal: abort.signal },
    );
    try {
      for await (const _ of events) abort.abort();
    } catch (error) {
      return matchError(error, { Canceled: () => "canceled", otherwise: ({ message }) => message });
    }
    return undefined;
  },

  /** Calls with the official gRPC-Web client in text mode, the only mode in which it streams. */
  async official(baseUrl: string, count: number) {
    const client = new GrpcWebClientBase({ format: "text" });
    const { getBook, watchBooks } = Library.method;
    const call = <T>(method: DescMethod, request: Message) =>
      client.unaryCall(
        `${baseUrl}/${method.parent.typeName}/${method.name}`,
        request,
        { "x-a": "b" },
        describe(method),
      ) as Promise<T>;
    const { title } = await call<{ title: string }>(getBook, create(getBook.input, { name: "shelves/7/books/1" }));
    const missing = await call(getBook, create(getBook.input, { name: "none" })).catch((error: RpcError) => error);
    const tokens: string[] = [];
    const url = `${baseUrl}/${Library.typeName}/${watchBooks.name}`;
    const status = await new Promise<{ code: number; details: string }>((resolve) => {
      const stream = client.serverStreaming(
        url,
        create(watchBooks.input, { count, failAfter: count - 1 }),
        {},
        describe(watchBooks),
      );
      stream.on("data", (event) => void tokens.push((event as unknown as { resumeToken: string }).resumeToken));
      stream.on("error", ({ code, message }) => resolve({ code, details: message }));
      stream.on("status", resolve);
    });
    return { title, missing: (missing as RpcError).code, tokens, status };
  },

  /** Reads a number of events, over restarts of the server and failures of the network. */
  async reconnecting(baseUrl: string, protocol: PageProtocol, count: number, countOfStream = 1) {
    const client = createClient(Library, createTransport(baseUrl, protocol));
    const state = { tokens: [] as string[], reconnects: 0, wanted: count };
    Object.assign(globalThis, { state });
    const events = createReconnectingStream({
      open: (resumeToken: string | undefined, signal) =>
        client.watchBooks({ resumeToken: resumeToken ?? "", count: countOfStream }, { signal }),
      tokenOf: ({ resumeToken }) => resumeToken,
      backoff: () => 20,
      reconnectOnEnd: true,
      onReconnect: ({ error }) => {
        if (error !== undefined) state.reconnects++;
      },
    });
    for await (const { resumeToken } of events) {
      state.tokens.push(resumeToken);
      if (state.tokens.length >= state.wanted) break;
    }
    return state;
  },

  /** Uploads and downloads many bytes in one REST body. */
  async bytes(url: string, length: number) {
    const sent = new Uint8Array(length);
    crypto.getRandomValues(sent.subarray(0, 65_536));
    for (let filled = 65_536; filled < length; filled *= 2) sent.copyWithin(filled, 0, filled);
    const digest = async (bytes: ArrayBuffer | Uint8Array<ArrayBuffer>) =>
      new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).join();
    const headers = { "content-type": "image/x" };
    // A Blob, because Playwright would copy any other body as base64.
    const response = await fetch(`${url}/v1/file`, { method: "PUT", headers, body: new Blob([sent]) });
    const received = await response.arrayBuffer();
    return { status: response.status, isSame: (await digest(received)) === (await digest(sent)) };
  },

  async form(url: string) {
    const form = new FormData();
    form.append("text", "from a form");
    form.append("data", new Blob([new Uint8Array([1, 2, 3])]), "a.bin");
    const response = await fetch(`${url}/v1/echo`, { method: "POST", body: form });
    return response.json();
  },
};

export type Page = typeof page;

Object.assign(globalThis, { page });
