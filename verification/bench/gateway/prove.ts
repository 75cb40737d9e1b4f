import { once } from "node:events";
import { type IncomingMessage, request as requestHttp1 } from "node:http";
import { connect } from "node:http2";
import { setTimeout as sleep } from "node:timers/promises";
import type { LoadRequest } from "./loads.ts";

/** A proxy may need a moment until it has found the server behind it. */
const attempts = 50;
const pauseMs = 100;

/** Sends the request of a load once, and checks the response. @throws for one that is not right: it must not be measured */
export async function prove(request: LoadRequest, port: number): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const { status, body } =
      request.version === "h2c" ? await sendHttp2(request, port) : await sendHttp1(request, port);
    if (status === 200) {
      request.check(body);
      return;
    }
    if (status !== 503 || attempt === attempts) {
      throw new Error(`it answers ${request.path} with ${status}: ${body.toString().slice(0, 200)}`);
    }
    await sleep(pauseMs);
  }
}

interface Answer {
  readonly status: number;
  readonly body: Buffer;
}

function headersOf({ headers }: LoadRequest): Record<string, string> {
  return Object.fromEntries(headers.map((line) => line.split(": ") as [string, string]));
}

async function sendHttp1(load: LoadRequest, port: number): Promise<Answer> {
  const { body, path } = load;
  const request = requestHttp1({
    ...{ host: "127.0.0.1", port, path, agent: false, method: body === undefined ? "GET" : "POST" },
    headers: { ...headersOf(load), ...(body === undefined ? {} : { "content-length": body.length }) },
  });
  request.end(body);
  const [response] = (await once(request, "response")) as [IncomingMessage];
  return { status: response.statusCode ?? 0, body: Buffer.concat(await response.toArray()) };
}

async function sendHttp2(load: LoadRequest, port: number): Promise<Answer> {
  const session = connect(`http://127.0.0.1:${port}`);
  try {
    const method = load.body === undefined ? "GET" : "POST";
    const stream = session.request({ ":method": method, ":path": load.path, ...headersOf(load) });
    stream.end(load.body);
    const [headers] = (await once(stream, "response")) as [{ readonly ":status"?: number }];
    return { status: headers[":status"] ?? 0, body: Buffer.concat(await stream.toArray()) };
  } finally {
    session.close();
  }
}
