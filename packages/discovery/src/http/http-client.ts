import { readFileSync } from "node:fs";
import { type ClientRequest, Agent as HttpAgent, type IncomingMessage, request as requestHttp } from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";
import { createInterface } from "node:readline";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Clock } from "@tercel/grpc";

/** TLS settings, with the paths of PEM files. */
export interface HttpTlsOptions {
  /** The CA that signed the server's certificate. Default: Node's list of CAs. */
  readonly caFile?: string;
  /** The client's certificate, if the server requires one. */
  readonly certFile?: string;
  /** The private key of `certFile`. */
  readonly keyFile?: string;
  /** The name in the server's certificate. Default: the host of the URL. */
  readonly serverName?: string;
}

export interface HttpClientOptions {
  /** For example `http://127.0.0.1:8500`. Its path is prepended to the paths of requests. */
  readonly baseUrl: URL;
  readonly tls?: HttpTlsOptions;
  /** Called for each request, so that a renewed token is used. */
  readonly headers: () => Readonly<Record<string, string>>;
  readonly clock: Clock;
}

export interface HttpRequest {
  readonly method?: "GET" | "PUT" | "POST" | "DELETE";
  /** The path with its query. */
  readonly path: string;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
  /** The timeout of the whole response. When lines are read, of the response head and of each pause after it. */
  readonly timeoutMs: number;
  /** Whether a pending request keeps the process alive. Default true. */
  readonly keepsProcessAlive?: boolean;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
}

/** No registry sends a larger response. */
const maxResponseBytes = 64 * 1024 * 1024;

/** Sends requests to one server over persistent connections. Node's `fetch` cannot trust a private CA without another library. */
export class HttpClient {
  readonly #options: HttpClientOptions;
  readonly #agent: HttpAgent;

  /** @throws Error when a file of the TLS options cannot be read, TypeError for a URL that is neither http nor https */
  constructor(options: HttpClientOptions) {
    this.#options = options;
    const { protocol } = options.baseUrl;
    if (protocol !== "http:" && protocol !== "https:") {
      throw new TypeError(`${options.baseUrl.href} has to start with http:// or https://`);
    }
    this.#agent =
      protocol === "https:"
        ? new HttpsAgent({ keepAlive: true, ...readTls(options.tls) })
        : new HttpAgent({ keepAlive: true });
  }

  /** Resolves with a response of any status. Rejects with a ConnectError Unavailable without a response. */
  async request(request: HttpRequest): Promise<HttpResponse> {
    return this.#withResponse(request, async (response, outgoing) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      for await (const chunk of response as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        if (bytes > maxResponseBytes) {
          outgoing.destroy();
          throw new ConnectError(`response larger than ${maxResponseBytes} bytes`, Code.ResourceExhausted);
        }
        chunks.push(chunk);
      }
      return {
        status: response.statusCode ?? 0,
        headers: response.headers,
        text: Buffer.concat(chunks).toString("utf8"),
      };
    });
  }

  /**
   * Calls `onLine` for each line of a response with status 200, as it arrives; for other statuses, the result has the text. Resolves at the
   * end of the response.
   */
  async readLines(
    request: HttpRequest & { readonly onHead?: () => void },
    onLine: (line: string) => void,
  ): Promise<HttpResponse> {
    return this.#withResponse(request, async (response, _, restart) => {
      const status = response.statusCode ?? 0;
      const texts: string[] = [];
      if (status === 200) request.onHead?.();
      response.on("data", restart);
      for await (const line of createInterface({ input: response, crlfDelay: Number.POSITIVE_INFINITY })) {
        if (status === 200) onLine(line);
        else if (texts.length < 100) texts.push(line);
      }
      // `readline` ends without an error when the connection breaks.
      if (!response.complete)
        throw new ConnectError("connection closed before the end of the response", Code.Unavailable);
      return { status, headers: response.headers, text: texts.join("\n") };
    });
  }

  close(): void {
    this.#agent.destroy();
  }

  async #withResponse<Result>(
    { method = "GET", path, body, signal, timeoutMs, keepsProcessAlive = true }: HttpRequest,
    read: (response: IncomingMessage, outgoing: ClientRequest, restart: () => void) => Promise<Result>,
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
    // The agent calls `ref` on a persistent socket again when the next request uses it.
    if (!keepsProcessAlive) outgoing.on("socket", (socket) => socket.unref());
    const expire = (): void => void outgoing.destroy(new Error(`no response within ${timeoutMs / 1000} s`));
    let cancel = clock.after(timeoutMs, expire);
    const restart = (): void => {
      cancel();
      cancel = clock.after(timeoutMs, expire);
    };
    try {
      const response = await new Promise<IncomingMessage>((resolve, reject) => {
        outgoing.on("response", resolve);
        outgoing.on("error", reject);
        outgoing.end(text);
      });
      return await read(response, outgoing, restart);
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

/** Returns the error for an HTTP status, with up to 200 characters of the server's text. */
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

/** A query may contain what must not be logged. */
function pathOnly(path: string): string {
  return path.split("?", 1)[0] ?? "";
}
