import { type AttackBody, attackBodies } from "../gateway/attack-bodies.ts";
import { callEndlessly } from "./endless-calls.ts";

/** Attacks on the gateway that over HTTP/2 come on every stream of one connection. */
export const gatewayHttp2Attacks: Readonly<Record<string, (port: number) => Promise<never>>> = {
  "bodies over the limit over HTTP/2": (port) => post(port, attackBodies.overLimit),
  "JSON over HTTP/2 that nests without end": (port) => post(port, attackBodies.nestedJson),
  "bodies over HTTP/2 that Brotli inflates a thousand times": (port) => post(port, attackBodies.brotliBomb),
  "forms of a hundred parts over HTTP/2": (port) => post(port, attackBodies.form),
  "server-sent events over HTTP/2 that are not read": (port) => {
    const path = "/events?count=2000000000&payloadSize=1000";
    const headers = { ":method": "GET", ":path": path, accept: "text/event-stream" };
    return callEndlessly(port, headers, (stream) => stream.end(), { initialWindowSize: 0 });
  },
};

function post(port: number, { type, encoding, create }: AttackBody): Promise<never> {
  const body = create();
  const coding = encoding === undefined ? {} : { "content-encoding": encoding };
  return callEndlessly(port, { ":path": "/echo", "content-type": type, ...coding }, (stream) => stream.end(body));
}
