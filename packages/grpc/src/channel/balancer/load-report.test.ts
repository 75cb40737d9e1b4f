import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { OrcaLoadReportSchema } from "../../gen/xds/data/orca/v3/orca_load_report_pb.ts";
import { encodeBinaryValue } from "../../protocol/metadata-field.ts";
import { readLoadReport } from "./load-report.ts";

function read(trailer: string | null) {
  return readLoadReport({ code: undefined, wasAnswered: true, trailer: () => trailer });
}

function sent(init: MessageInitShape<typeof OrcaLoadReportSchema>): string {
  return encodeBinaryValue(toBinary(OrcaLoadReportSchema, create(OrcaLoadReportSchema, init)));
}

describe("readLoadReport", () => {
  it("reads what balancers use, between all other fields", () => {
    const used = { cpuUtilization: 0.25, rpsFractional: 100.5, eps: 2, applicationUtilization: 0.75 };
    const others = {
      memUtilization: 0.5,
      rps: 7n,
      requestCost: { a: 1 },
      utilization: { b: 2 },
      namedMetrics: { c: 3 },
    };
    assert.deepEqual(read(sent({ ...used, ...others })), used);
    assert.deepEqual(read(sent(others)), { cpuUtilization: 0, rpsFractional: 0, eps: 0, applicationUtilization: 0 });
  });

  it("takes the first of several trailers, and the last of several values", () => {
    const report = read(`${sent({ eps: 1 })},${sent({ eps: 2 })}`);
    assert.equal(report?.eps, 1);
    const twice = Buffer.concat([1, 2].map((eps) => Buffer.from(sent({ eps }), "base64")));
    assert.equal(read(encodeBinaryValue(twice))?.eps, 2);
  });

  it("is undefined without a trailer, and for one that cannot be read", () => {
    const whole = Buffer.from(sent({ eps: 1 }), "base64");
    for (const trailer of [null, "!", encodeBinaryValue(whole.subarray(0, -1)), encodeBinaryValue(Buffer.of(0xff))]) {
      assert.equal(read(trailer), undefined, String(trailer));
    }
  });
});
