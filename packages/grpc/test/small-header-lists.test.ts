// RFC 9113 §6.5.2: a client may say how large a header list it takes. A server that ignores it makes proxies reset calls.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, constants } from "node:http2";
import { it, type TestContext } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { createStubServer } from "@tercel/grpc/testing";
import { echoRoutes, recordingLog } from "./support/open-echo.ts";
import { framed, grpcHeaders } from "./support/raw-client.ts";

/** What each of `calls` calls in a row gets that fail with a long text: status and length of the text, or the code of a reset. */
async function failWithin(t: TestContext, maxHeaderListSize: number, calls = 1): Promise<unknown[]> {
  const routes = echoRoutes({
    unary() {
      throw new ConnectError("x".repeat(4000), Code.Aborted);
    },
  });
  const stub = await createStubServer(routes, {
    serverOptions: { log: recordingLog().log, limits: { budgets: { glitches: { burst: 3, perSecond: 0 } } } },
  });
  t.after(() => stub.close({ deadlineMs: 0 }));
  const session = connect(`http://${stub.target}`, { settings: { maxHeaderListSize } });
  session.on("error", () => {});
  t.after(() => session.destroy());
  const outcomes: unknown[] = [];
  for (let call = 0; call < calls; call++) {
    if (session.closed || session.destroyed) break;
    const request = session.request(grpcHeaders);
    request.on("error", () => {});
    request.on("response", (head) => outcomes.push([head["grpc-status"], String(head["grpc-message"] ?? "").length]));
    request.end(framed(new Uint8Array(0)));
    request.resume();
    await new Promise((resolve) => request.once("close", resolve));
    if (request.rstCode !== 0) outcomes.push(`reset ${request.rstCode}`);
  }
  return outcomes;
}

it("cuts the text of a status to what the client takes", async (t) => {
  assert.deepEqual(await failWithin(t, 65_536), [["10", 4000]]);
  const [[status, length]] = (await failWithin(t, 1000)) as [[string, number]];
  assert.equal(status, "10");
  assert.ok(length > 600 && length < 1000);
});

it("resets the stream where not even the status fits, and does not do so without end", async (t) => {
  const outcomes = await failWithin(t, 60, 10);
  // Three glitches are free here; the fourth ends the connection.
  assert.deepEqual(outcomes.slice(0, 4), new Array(4).fill(`reset ${constants.NGHTTP2_INTERNAL_ERROR}`));
  assert.ok(outcomes.length <= 5, `${outcomes.length} calls got that far`);
});

it("cuts the text of a refusal to what the client takes", async (t) => {
  const stub = await createStubServer(echoRoutes({}), { serverOptions: { log: recordingLog().log } });
  t.after(() => stub.close({ deadlineMs: 0 }));
  const path = `/tercel.grpc.test.v1.EchoService/${"x".repeat(400)}`;
  for (const [maxHeaderListSize, isCut] of [
    [65_536, false],
    [400, true],
  ] as const) {
    const session = connect(`http://${stub.target}`, { settings: { maxHeaderListSize } });
    session.on("error", () => {});
    t.after(() => session.destroy());
    const request = session.request({ ...grpcHeaders, ":path": path });
    request.on("error", () => {});
    request.end(framed(new Uint8Array(0)));
    const [head] = await once(request, "response");
    assert.equal(head["grpc-status"], "12");
    let bytes = 0;
    for (const [name, value] of Object.entries(head)) bytes += name.length + String(value).length + 32;
    assert.equal(bytes <= 400, isCut);
  }
});
