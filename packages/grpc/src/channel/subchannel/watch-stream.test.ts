import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { durationMs } from "@bufbuild/protobuf/wkt";
import { Code, type ConnectError, type ConnectRouter } from "@connectrpc/connect";
import { createProtobufCodec } from "../../codec/index.ts";
import {
  Health,
  HealthCheckRequestSchema,
  type HealthCheckResponse,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from "../../gen/grpc/health/v1/health_pb.ts";
import { OrcaLoadReportSchema } from "../../gen/xds/data/orca/v3/orca_load_report_pb.ts";
import { OpenRcaService } from "../../gen/xds/service/orca/v3/orca_pb.ts";
import { unindexedFields } from "../../protocol/unindexed-fields.ts";
import { serverOver } from "../../server/server.ts";
import { createHealth } from "../../services/health/health.ts";
import { systemClock } from "../../time/clock.ts";
import { createInMemoryNetwork } from "../../transport/in-memory.ts";
import { RequestHeads } from "../../transport/request-heads.ts";
import { createBackoff } from "../retry/backoff.ts";
import { watchHealth } from "./health-watch.ts";
import type { Subchannel } from "./index.ts";
import { watchLoad } from "./load-watch.ts";
import { createSubchannel } from "./subchannel.ts";
import { createStartWatch } from "./watch-stream.ts";

const codec = createProtobufCodec();
const startWatch = createStartWatch(
  {
    codec,
    compressions: [],
    sendCompression: undefined,
    compressMinBytes: 1024,
    maxReceiveMessageBytes: 4 * 1024 * 1024,
    maxSendMessageBytes: 4 * 1024 * 1024,
    clock: systemClock,
  },
  new RequestHeads({
    scheme: "http",
    authority: "in-memory",
    format: "proto",
    sendCompression: undefined,
    compressions: [],
    userAgentPrefix: undefined,
  }),
);

/** A subchannel that is connected to a server with these services. */
async function connectTo(test: TestContext, routes: (router: ConnectRouter) => void) {
  const network = createInMemoryNetwork();
  const server = serverOver({ routes }, network.createListener);
  const connect = network.connect({
    tls: undefined,
    limits: {},
    keepalive: undefined,
    unindexedFields,
    clock: systemClock,
  });
  const subchannel: Subchannel = await new Promise((resolve) => {
    const made = createSubchannel(
      { host: "in-memory", port: 1 },
      { connect, clock: systemClock, backoff: createBackoff() },
      (state) => {
        if (state === "ready") resolve(made);
      },
    );
    made.connect();
  });
  test.after(async () => {
    subchannel.shutdown();
    await server.close();
  });
  return {
    subchannel,
    connection: subchannel.connection ?? assert.fail("there is no connection"),
  };
}

/** The values that a callback is given, one by one. */
function createInbox<T>() {
  const received: T[] = [];
  let wake: (() => void) | undefined;
  return {
    put: (value: T): void => {
      received.push(value);
      wake?.();
    },
    take: async (): Promise<T> => {
      while (received.length === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      return received.shift() as T;
    },
  };
}

const settings = { startWatch, clock: systemClock, backoff: createBackoff() };

test("follows the health service of a real server over the subchannel's connection", async (t) => {
  const health = createHealth();
  const server = await connectTo(t, (router) => health.routes(router));
  const inbox = createInbox<string>();
  const stop = watchHealth(settings, "", server.subchannel, ({ state }) => inbox.put(state));
  assert.equal(await inbox.take(), "connecting");
  assert.equal(await inbox.take(), "ready");
  health.setStatus("", "NOT_SERVING");
  assert.equal(await inbox.take(), "transient_failure");
  health.setStatus("", "SERVING");
  assert.equal(await inbox.take(), "ready");
  stop();
});

test("takes a real server without a health service for healthy", async (t) => {
  const server = await connectTo(t, () => {});
  const inbox = createInbox<string>();
  watchHealth(settings, "", server.subchannel, ({ state }) => inbox.put(state));
  assert.equal(await inbox.take(), "connecting");
  assert.equal(await inbox.take(), "ready");
});

test("reads load reports of a real server and tells it how often they are wanted", async (t) => {
  const asked = createInbox<number>();
  const server = await connectTo(t, (router) =>
    router.service(OpenRcaService, {
      async *streamCoreMetrics({ reportInterval }) {
        asked.put(reportInterval === undefined ? 0 : durationMs(reportInterval));
        yield create(OrcaLoadReportSchema, { rpsFractional: 100, cpuUtilization: 0.25 });
      },
    }),
  );
  const inbox = createInbox<number>();
  const stop = watchLoad(settings, server.subchannel, 2500, ({ rpsFractional, cpuUtilization }) =>
    inbox.put(rpsFractional / cpuUtilization),
  );
  assert.equal(await asked.take(), 2500);
  assert.equal(await inbox.take(), 400);
  stop();
});

test("cancels the call on the server when no one watches any more", async (t) => {
  const cancelled = createInbox<string>();
  const server = await connectTo(t, (router) =>
    router.service(Health, {
      async *watch(_request, { signal }) {
        yield { status: ServingStatus.SERVING };
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        cancelled.put("cancelled");
      },
    }),
  );
  const inbox = createInbox<ServingStatus>();
  const stop = startWatch(server.connection, Health.method.watch, create(HealthCheckRequestSchema), {
    onMessage: (message) => inbox.put((message as HealthCheckResponse).status),
    onEnd: () => assert.fail("a cancelled watch reports nothing"),
  });
  assert.equal(await inbox.take(), ServingStatus.SERVING);
  stop();
  assert.equal(await cancelled.take(), "cancelled");
});

test("reports a connection that has no place for the watch as the end of it, not at once", async (t) => {
  const server = await connectTo(t, () => {});
  server.connection.drain();
  const ends = createInbox<ConnectError | undefined>();
  let hasReturned = false;
  startWatch(server.connection, Health.method.watch, create(HealthCheckRequestSchema), {
    onMessage: () => assert.fail("there is no message"),
    onEnd: (error) => {
      assert.ok(hasReturned);
      ends.put(error);
    },
  });
  hasReturned = true;
  assert.equal((await ends.take())?.code, Code.Unavailable);
});
