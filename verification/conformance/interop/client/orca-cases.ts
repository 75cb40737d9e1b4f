import assert from "node:assert/strict";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { createWritableIterable } from "@connectrpc/connect/protocol";
import { readCallMetrics } from "@tercel/grpc/services";
import type { StreamingOutputCallRequestSchema } from "../gen/grpc/testing/messages_pb.ts";
import type { TestChannel } from "./test-channel.ts";

const utilizations = [
  { cpuUtilization: 0.821, memoryUtilization: 0.5847, utilization: { util: 0.30499 } },
  { cpuUtilization: 0.29309, memoryUtilization: 0.2, utilization: { util: 0.2039 } },
];
/** The maximum number of reports. A server may repeat an older one before it sends the new one. */
const maxOlderReports = 10;

/** Load reports (gRFC A51): the requested report must arrive, in a call's trailers or in a stream. */
export const orcaCases: Readonly<Record<string, (test: TestChannel) => Promise<void>>> = {
  async orca_per_rpc({ client }) {
    const asked = { cpuUtilization: 0.821, memoryUtilization: 0.5847, requestCost: { cost: 3456.32 } };
    let trailer = new Headers();
    await client.unaryCall(
      { orcaPerQueryReport: { ...asked, utilization: { util: 0.30499 } } },
      {
        onTrailer: (received) => {
          trailer = received;
        },
      },
    );
    const report = readCallMetrics(trailer);
    assert.equal(report?.cpuUtilization, asked.cpuUtilization);
    assert.equal(report.memUtilization, asked.memoryUtilization);
    assert.deepEqual(report.requestCost, asked.requestCost);
    assert.deepEqual(report.utilization, { util: 0.30499 });
  },

  async orca_oob({ client, load }) {
    const requests = createWritableIterable<MessageInitShape<typeof StreamingOutputCallRequestSchema>>();
    const responses = client.fullDuplexCall(requests)[Symbol.asyncIterator]();
    const abort = new AbortController();
    const request = { reportInterval: { seconds: 1n } };
    const reports = load.streamCoreMetrics(request, { signal: abort.signal })[Symbol.asyncIterator]();
    for (const asked of utilizations) {
      await requests.write({ orcaOobReport: asked, responseParameters: [{ size: 1 }] });
      assert.equal((await responses.next()).value?.payload?.body.length, 1);
      let { value: report } = await reports.next();
      for (let older = 0; report?.cpuUtilization !== asked.cpuUtilization; older++) {
        assert.ok(older < maxOlderReports, `the server never reported a load of ${asked.cpuUtilization}`);
        report = (await reports.next()).value;
      }
      assert.equal(report.memUtilization, asked.memoryUtilization);
      assert.deepEqual(report.utilization, asked.utilization);
    }
    abort.abort();
    await assert.rejects(reports.next());
    requests.close();
    assert.equal((await responses.next()).done, true);
  },
};
