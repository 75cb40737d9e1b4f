import { readFileSync } from "node:fs";
import { type ClientRequest, Agent as HttpAgent, type IncomingMessage, request as requestHttp } from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";
import { createInterface } from "node:readline";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Clock } from "@tercel/grpc";

/** How to trust and be trusted, by the paths of PEM files. */
export interface HttpTlsOptions {
  /** Who signs the server's certificate. Default: the system's list. */
  readonly caFile?: string;
  /** The client's own certificate and key, where the server asks for one. */
  readonly certFile?: string;
  readonly keyFile?: string;
  /** The name in the server's certificate, where it is not the URL's. */
  readonly serverName?: string;
}

export interface HttpClientOptions {
  /** `http://127.0.0.1:8500`, for instance; a path is put before those of requests. */
  readonly baseUrl: URL;
  readonly tls?: HttpTlsOptions;
  /** Read for each request, so that a renewed token is used. */
  readonly headers: () => Readonly<Record<string, string>>;
  readonly clock: Clock;
}

export interface HttpRequest {
  readonly method?: "GET" | "PUT" | "POST" | "DELETE";
  /** With its query. */
  readonly path: string;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
  /** For the whole answer, or for its head and each silence after that where lines are read. */
  readonly timeoutMs: number;
  /** Whether the process stays alive for the answer. Default true. */
  readonly keepsProcessAlive?: boolean;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
}

/** An answer that is larger is not a registry's. */
const maxAnswerBytes = 64 * 1024 * 1024;

/** Requests to one server over kept connections. Node's `fetch` cannot trust a private authority without another library. */
export class HttpClient {
  readonly #options: HttpClientOptions;
  readonly #agent: HttpAgent;

  /** @throws Error when a file of the TLS options cannot be read, TypeError for a URL that is neither http nor https */
  constructor(options: HttpClientOptions) {
    this.#options = options;
    const { protocol } = options.baseUrl;
    if (protocol !== "http:" && protocol !== "https:") {
      throw new TypeError(`${options.baseUrl.href} has to begin with http:// or https://`);
    }
    this.#agent =
      protocol === "https:"
        ? new HttpsAgent({ keepAlive: true, ...readTls(options.tls) })
        : new HttpAgent({ keepAlive: true });
  }

  /** Resolves with any status; rejects with a ConnectError Unavailable without a response. */
  async request(request: HttpRequest): Promise<HttpResponse> {
    return this.#withAnswer(request, async (answer, outgoing) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      for await (const chunk of answer as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        if (bytes > maxAnswerBytes) {
          outgoing.destroy();
          throw new ConnectError(`an answer of more than ${maxAnswerBytes} bytes`, Code.ResourceExhausted);
        }
        chunks.push(chunk);
      }
      return { status: answer.statusCode ?? 0, headers: answer.headers, text: Buffer.concat(chunks).toString("utf8") };
    });
  }

  /** Hands the lines of an answer with status 200 on as they come; of others the whole text. Resolves when it has ended. */
  async readLines(
    request: HttpRequest & { readonly onHead?: () => void },
    onLine: (line: string) => void,
  ): Promise<HttpResponse> {
    return this.#withAnswer(request, async (answer, _, restart) => {
      const status = answer.statusCode ?? 0;
      const texts: string[] = [];
      if (status === 200) request.onHead?.();
      answer.on("data", restart);
      for await (const line of createInterface({ input: answer, crlfDelay: Number.POSITIVE_INFINITY })) {
        if (status === 200) onLine(line);
        else if (texts.length < 100) texts.push(line);
      }
      // The interface ends quietly on a connection that broke.
      if (!answer.complete) throw new ConnectError("the connection broke within the answer", Code.Unavailable);
      return { status, headers: answer.headers, text: texts.join("\n") };
    });
  }

  close(): void {
    this.#agent.destroy();
  }

  async #withAnswer<Result>(
    { method = "GET", path, body, signal, timeoutMs, keepsProcessAlive = true }: HttpRequest,
    read: (answer: IncomingMessage, outgoing: ClientRequest, restart: () => void) => Promise<Result>,
  ): Promise<Result> {
    const { baseUrl, headers, clock } = this.#options;
    const url = new URL(`${baseUrl.pathname.replace(/\/$/, "")}${path}`, baseUrl);
    const start = url.protocol === "https:" ? requestHttps : requestHttp;
    const text = body === undefined ? undefined : JSON.stringify(body);
    const outgoing = start(url, {
      method,
      agent: this.#agent,
      headers: {
        accept: "application/json",
        ...headers(),
        ...(text !== undefined && { "content-type": "application/json" }),
      },
      ...(signal !== undefined && { signal }),
    });
    // The agent references a kept socket again when the next request gets it.
    if (!keepsProcessAlive) outgoing.on("socket", (socket) => socket.unref());
    const expire = (): void => void outgoing.destroy(new Error(`no answer within ${timeoutMs / 1000} s`));
    let cancel = clock.after(timeoutMs, expire);
    const restart = (): void => {
      cancel();
      cancel = clock.after(timeoutMs, expire);
    };
    try {
      const answer = await new Promise<IncomingMessage>((resolve, reject) => {
        outgoing.on("response", resolve);
        outgoing.on("error", reject);
        outgoing.end(text);
      });
      return await read(answer, outgoing, restart);
    } catch (error) {
      if (error instanceof ConnectError) throw error;
      const reason = error instanceof Error ? error.message || error.name : String(error);
      throw new ConnectError(
        `${method} ${url.host}${pathOnly(path)}: ${reason}`,
        Code.Unavailable,
        undefined,
        undefined,
        error,
      );
    } finally {
      cancel();
      if (!outgoing.closed) outgoing.destroy();
    }
  }
}

/** The error for an HTTP status; the server's own text is shortened. */
export function statusError(what: string, { status, text }: Pick<HttpResponse, "status" | "text">): ConnectError {
  const words = text.trim().slice(0, 200);
  return new ConnectError(`${what}: HTTP ${status}${words === "" ? "" : `, ${words}`}`, codeOf(status));
}

function codeOf(status: number): Code {
  if (status === 400) return Code.InvalidArgument;
  if (status === 401) return Code.Unauthenticated;
  if (status === 403) return Code.PermissionDenied;
  if (status === 404) return Code.NotFound;
  return status === 429 ? Code.ResourceExhausted : Code.Unavailable;
}

function readTls({ caFile, certFile, keyFile, serverName }: HttpTlsOptions = {}) {
  return {
    ...(caFile !== undefined && { ca: readFileSync(caFile) }),
    ...(certFile !== undefined && { cert: readFileSync(certFile) }),
    ...(keyFile !== undefined && { key: readFileSync(keyFile) }),
    ...(serverName !== undefined && { servername: serverName }),
  };
}

/** A query may hold what a log should not. */
function pathOnly(path: string): string {
  return path.split("?", 1)[0] ?? "";
}
