import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  ContradictingPaymentService,
  NumberedPaymentService,
  PaymentService,
  TwicePaymentService,
  WrongPaymentService,
} from "../../test/gen/tercel/interceptors/test/v1/payment_pb.ts";
import { createKeyRules, type KeyRuleSources } from "./key-rules.ts";

const { marked, required, exempt } = PaymentService.method;
const payment = PaymentService.typeName;

function rules(sources: Partial<KeyRuleSources> = {}) {
  return createKeyRules("here", {
    field: "idempotency_key",
    required: false,
    methods: {},
    services: undefined,
    ...sources,
  });
}

describe("the key rule of a method", () => {
  it("comes from the field marked in the proto, unless the method's option sets another", () => {
    const ruleOf = rules({ services: [PaymentService] });
    assert.deepEqual(ruleOf(marked), { field: "request_id", localName: "requestId", required: false });
    assert.deepEqual(ruleOf(required), { field: "note", localName: "note", required: true });
    assert.equal(ruleOf(exempt), "exempt");
  });

  it("comes from code for the method or its service, before the proto", () => {
    const ruleOf = rules({
      methods: {
        [`${payment}/*`]: { field: "note" },
        [`${payment}/Required`]: { required: false },
        [`${payment}/Exempt`]: {},
      },
    });
    // The request does not have the field, so only the header counts.
    assert.deepEqual(ruleOf(marked), { field: "note", localName: undefined, required: false });
    assert.deepEqual(ruleOf(required), { field: "note", localName: "note", required: false });
    assert.deepEqual(ruleOf(exempt), { field: "request_id", localName: "requestId", required: false });
    assert.equal(rules({ methods: { [`${payment}/*`]: false } })(marked), "exempt");
  });

  it("comes from code for all methods, after the proto", () => {
    const ruleOf = rules({ field: "note", required: true });
    assert.deepEqual(ruleOf(marked), { field: "request_id", localName: "requestId", required: true });
    assert.equal(ruleOf(exempt), "exempt");
  });
});

describe("an invalid proto", () => {
  const rows = [
    [WrongPaymentService, /the rule of .*Misnamed names "notes", which is not a string field of .*PlainRequest/],
    [NumberedPaymentService, /NumberedRequest marks number as its key, which is not a string/],
    [TwicePaymentService, /TwiceRequest marks two fields as its key: first and second/],
    [ContradictingPaymentService, /Contradicting in the proto is exempt, but also requires a key/],
  ] as const;
  for (const [service, message] of rows) {
    it(`is rejected at the start: ${service.name}`, () => {
      assert.throws(() => rules({ services: [service] }), message);
    });
    it(`is rejected at the first call: ${service.name}`, () => {
      const ruleOf = rules();
      for (const method of service.methods) assert.throws(() => ruleOf(method), message);
    });
  }

  it("and an unknown field in a rule for a method are both rejected", () => {
    const methods = { [`${payment}/Marked`]: { field: "cents" } };
    assert.throws(
      () => rules({ methods, services: [PaymentService] }),
      /Marked names "cents", which is not a string field/,
    );
    assert.throws(
      () => rules({ methods: { [`${payment}/*`]: { requird: true } as never } }),
      /did you mean "required"/,
    );
  });
});
