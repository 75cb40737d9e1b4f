import { once } from "node:events";
import { connect } from "node:http2";
import { performance } from "node:perf_hooks";
import type { TestContext } from "node:test";
import { createStubServer } from "@tercel/grpc/testing";
import { recordingLog } from "./open-echo.ts";

type StubOptions = NonNullable<Parameters<typeof createStubServer>[1]>["serverOptions"];

/** A request whose headers have arrived, but not its message. */
export interface SlowUpload {
  /** Sends an empty message, and resolves when the response has arrived. */
  finish(): Promise<void>;
  /** Cancels the request, and resolves when the server has noticed. */
  takeBack(): Promise<void>;
}

/** Opens such a request, and advances the clock for durations by a second. */
export async function openSlowUpload(
  t: TestContext,
  path: string,
  routes: Parameters<typeof createStubServer>[0],
  options: StubOptions,
): Promise<SlowUpload> {
  const stub = await createStubServer(routes, { serverOptions: { log: recordingLog().log, ...options } });
  t.after(() => stub.close({ deadlineMs: 0 }));
  const session = connect(`http://${stub.target}`);
  t.after(() => session.destroy());
  await once(session, "connect");
  const headers = { ":method": "POST", ":path": path, "content-type": "application/grpc", te: "trailers" };
  const request = session.request(headers, { endStream: false });
  request.on("error", () => {});
  const answered = (): Promise<void> => new Promise((resolve) => session.ping(() => resolve()));
  // When the ping is acknowledged, the headers have been read.
  await answered();
  const now = performance.now.bind(performance);
  t.mock.method(performance, "now", () => now() + 1000);
  return {
    async finish() {
      const closed = once(request, "close");
      request.resume();
      request.end(Buffer.alloc(5));
      await closed;
    },
    async takeBack() {
      request.destroy(new Error("taken back"));
      await answered();
    },
  };
}
