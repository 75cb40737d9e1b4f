import assert from "node:assert/strict";
import { test } from "node:test";
import { create, type Message } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import {
  type HealthCheckRequest,
  HealthCheckResponseSchema,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from "../../gen/grpc/health/v1/health_pb.ts";
import { createFakeClock, promisesSettled } from "../../time/fake-clock.ts";
import type { ClientConnection } from "../../transport/client/client-connection.ts";
import { createBackoff } from "../retry/backoff.ts";
import { scriptConnect } from "../testing/scripted-connect.ts";
import { watchHealth } from "./health-watch.ts";
import { createSubchannel } from "./subchannel.ts";
import type { StartWatch, WatchEvents } from "./watch-stream.ts";

interface Stream extends WatchEvents {
  readonly connection: ClientConnection;
  readonly request: Message;
  isCancelled: boolean;
}

async function setUp(serviceName = "shop.Orders") {
  const clock = createFakeClock();
  const { connect, attempts } = scriptConnect();
  const backoff = createBackoff({ random: () => 0.5 });
  const subchannel = createSubchannel({ host: "a", port: 1 }, { connect, clock, backoff }, () => {});
  subchannel.connect();
  const connection = (await attempts[0]?.succeed(1)) ?? assert.fail("there was no attempt");
  const streams: Stream[] = [];
  const startWatch: StartWatch = (connection, _method, request, { onMessage, onEnd }) => {
    const stream = { connection, request, onMessage, onEnd, isCancelled: false };
    streams.push(stream);
    return () => {
      stream.isCancelled = true;
    };
  };
  const reports: string[] = [];
  const unimplemented: unknown[] = [];
  const onHealthUnimplemented = (at: unknown): void => void unimplemented.push(at);
  const settings = { startWatch, clock, backoff, onHealthUnimplemented };
  const watchAgain = (): (() => void) =>
    watchHealth(settings, serviceName, subchannel, ({ state, reason }) => {
      reports.push(reason === "" ? state : `${state}: ${reason}`);
    });
  const stop = watchAgain();
  const stream = (index: number) => streams[index] ?? assert.fail(`there was no stream ${index}`);
  const answer = (index: number, status: ServingStatus) =>
    stream(index).onMessage(create(HealthCheckResponseSchema, { status }));
  return { clock, subchannel, connection, attempts, streams, stream, answer, reports, stop, watchAgain, unimplemented };
}

const unavailable = () => new ConnectError("try later", Code.Unavailable);

test("asks for the service by name and counts the server as connecting until it answers", async () => {
  const { stream, reports, answer, connection } = await setUp();
  assert.equal((stream(0).request as HealthCheckRequest).service, "shop.Orders");
  assert.equal(stream(0).connection, connection);
  assert.deepEqual(reports, ["connecting: its health is not known yet"]);
  answer(0, ServingStatus.SERVING);
  assert.deepEqual(reports.slice(1), ["ready"]);
});

test("follows what the server says, straight from failing to ready", async () => {
  const { reports, answer } = await setUp();
  answer(0, ServingStatus.NOT_SERVING);
  answer(0, ServingStatus.SERVICE_UNKNOWN);
  answer(0, 17 as ServingStatus);
  answer(0, ServingStatus.SERVING);
  assert.deepEqual(reports.slice(1), [
    "transient_failure: its health service says NOT_SERVING for shop.Orders",
    "transient_failure: its health service says SERVICE_UNKNOWN for shop.Orders",
    "transient_failure: its health service says status 17 for shop.Orders",
    "ready",
  ]);
});

test("takes a server without a health service for healthy and does not ask again", async () => {
  const { clock, stream, streams, reports } = await setUp();
  stream(0).onEnd(new ConnectError("no such method", Code.Unimplemented));
  assert.deepEqual(reports.slice(1), ["ready"]);
  await clock.advance(1_000_000);
  assert.equal(streams.length, 1);
  assert.equal(clock.pendingTimers, 0);
});

test("counts the server as failing when the stream ends and asks again after growing pauses", async () => {
  const { clock, stream, streams, reports } = await setUp("");
  const pauses: number[] = [];
  for (let i = 0; i < 3; i += 1) {
    stream(i).onEnd(i === 1 ? undefined : unavailable());
    const before = clock.nowMs();
    while (streams.length === i + 1) await clock.advance(10);
    pauses.push(clock.nowMs() - before);
  }
  assert.deepEqual(pauses, [1000, 1600, 2560]);
  assert.deepEqual(reports.slice(1, 5), [
    "transient_failure: its health service ended the watch: [unavailable] try later",
    "connecting: its health is not known yet",
    "transient_failure: its health service ended the watch: without an error",
    "connecting: its health is not known yet",
  ]);
});

test("asks again at once, and begins with a small pause, after a stream that lasted and said something", async () => {
  const { clock, stream, streams, answer } = await setUp();
  stream(0).onEnd(unavailable());
  await clock.advance(1000);
  await clock.advance(5000);
  answer(1, ServingStatus.SERVING);
  stream(1).onEnd(unavailable());
  await clock.advance(0);
  assert.equal(streams.length, 3);
  stream(2).onEnd(unavailable());
  await clock.advance(1599);
  assert.equal(streams.length, 3);
  await clock.advance(1);
  assert.equal(streams.length, 4);
});

test("says nothing when the stream goes with its connection", async () => {
  const { clock, connection, stream, streams, reports } = await setUp();
  connection.isAcceptingCalls = false;
  stream(0).onEnd(unavailable());
  connection.lose(new Error("read ECONNRESET"));
  await promisesSettled();
  assert.equal(reports.length, 1);
  assert.equal(streams.length, 1);
  assert.equal(clock.pendingTimers, 0);
});

test("goes on over another connection of the subchannel", async () => {
  const { subchannel, attempts, connection, stream, streams, reports } = await setUp();
  connection.startCall();
  subchannel.ensureCapacity();
  const other = await attempts[1]?.succeed();
  connection.isAcceptingCalls = false;
  stream(0).onEnd(unavailable());
  connection.lose(new Error("read ECONNRESET"));
  await promisesSettled();
  assert.equal(streams.length, 2);
  assert.equal(stream(1).connection, other);
  assert.equal(reports.length, 1);
});

test("ends the stream, or the pause, when no one watches any more", async () => {
  const open = await setUp();
  open.stop();
  assert.ok(open.stream(0).isCancelled);
  const pausing = await setUp();
  pausing.stream(0).onEnd(unavailable());
  pausing.stop();
  assert.equal(pausing.clock.pendingTimers, 0);
});

test("moves to another connection when its own takes no more calls, without a word, so that the old one can close", async () => {
  const { subchannel, attempts, connection, stream, streams, answer, reports } = await setUp();
  answer(0, ServingStatus.SERVING);
  connection.startCall();
  subchannel.ensureCapacity();
  const other = await attempts[1]?.succeed();
  connection.goaway();
  assert.ok(stream(0).isCancelled);
  assert.equal(streams.length, 2);
  assert.equal(stream(1).connection, other);
  assert.deepEqual(reports.slice(1), ["ready"]);
});

test("waits for a place on full connections, and asks for another connection as a call does", async () => {
  const { subchannel, attempts, connection, stream, streams, answer, reports, clock } = await setUp();
  answer(0, ServingStatus.SERVING);
  connection.startCall();
  subchannel.ensureCapacity();
  const other = await attempts[1]?.succeed(1);
  other?.startCall();
  connection.goaway();
  await promisesSettled();
  // The other one is full: a third is being made, and nothing is reported.
  assert.equal(streams.length, 1);
  assert.equal(attempts.length, 3);
  assert.deepEqual(reports.slice(1), ["ready"]);
  other?.endCall();
  assert.equal(streams.length, 2);
  assert.equal(stream(1).connection, other);
  await attempts[2]?.succeed(1);
  assert.equal(streams.length, 2);
  assert.equal(clock.pendingTimers, 0);
});

test("starts on the first place there is when every connection was full from the start", async () => {
  const { stop, watchAgain, connection, streams, attempts, reports } = await setUp();
  stop();
  connection.startCall();
  watchAgain();
  assert.equal(streams.length, 1);
  await promisesSettled();
  assert.deepEqual(reports.slice(1), ["connecting: its health is not known yet"]);
  assert.equal(attempts.length, 2);
  await attempts[1]?.succeed();
  assert.equal(streams.length, 2);
});

test("leaves nothing on the subchannel when it is over, and says once that there is no health service", async () => {
  const { subchannel, stop, stream, streams, connection, unimplemented } = await setUp();
  stream(0).onEnd(new ConnectError("no such method", Code.Unimplemented));
  connection.allow(2);
  assert.equal(streams.length, 1);
  assert.deepEqual(unimplemented, [subchannel]);
  stop();
  connection.allow(3);
  assert.equal(streams.length, 1);
});
