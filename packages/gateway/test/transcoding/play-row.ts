import { once } from "node:events";
import { type Agent, type IncomingMessage, request } from "node:http";
import type { JsonValue } from "@bufbuild/protobuf";
import type { Expected, Row } from "./row.ts";

/** Sends the request of a row, and returns the parts of the response that the row expects. */
export async function playRow(
  port: number,
  agent: Agent,
  { method, target, headers, body, response }: Row,
): Promise<Expected> {
  const sent = request({
    ...{ host: "127.0.0.1", port, agent, method, path: target },
    headers: { ...headers, ...(body !== undefined && { "content-length": body.length }) },
  });
  sent.end(body);
  const [received] = (await once(sent, "response")) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of received) chunks.push(chunk as Buffer);
  return select(received, Buffer.concat(chunks), response);
}

function select(received: IncomingMessage, body: Buffer, about: Expected): Expected {
  const status = received.statusCode ?? 0;
  if (status >= 300) return { status, ...(about.error !== undefined && { error: errorOf(body) }) };
  const names = Object.keys(about.headers ?? {});
  const headers = Object.fromEntries(names.map((name) => [name, String(received.headers[name])]));
  return {
    status,
    ...(about.text === undefined
      ? about.json !== undefined && { json: parse(body) }
      : { text: body.toString("latin1") }),
    ...(about.headers !== undefined && { headers }),
  };
}

function errorOf(body: Buffer): NonNullable<Expected["error"]> {
  const { code, message = "" } = parse(body) as { code: number; message?: string };
  return { code, message };
}

/** A body that is not JSON never equals an expected one. */
function parse(body: Buffer): JsonValue {
  try {
    return JSON.parse(body.toString()) as JsonValue;
  } catch {
    return `not JSON: ${body.toString("latin1")}`;
  }
}
