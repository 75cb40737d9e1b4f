import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { messagePrefixBytes } from "../../protocol/message-framing.ts";
import { Payload } from "../../protocol/payload.ts";
import { ReplayBudget } from "../retry/replay-budget.ts";
import { SentRequests } from "./sent-requests.ts";

const request = (bytes: number): Payload => new Payload().whole(new Uint8Array(bytes), false, false);

describe("the requests that may have to be sent again", () => {
  it("keep their numbers when earlier ones are forgotten", () => {
    const sent = new SentRequests(new ReplayBudget(1000, 1000));
    const all = [request(1), request(2), request(3)];
    for (const one of all) sent.add(one);
    sent.forgetBefore(2);
    assert.equal(sent.get(2), all[2]);
    assert.equal(sent.end, 3);
    sent.forgetBefore(1);
    assert.equal(sent.get(2), all[2], "an attempt that is behind forgets nothing more");
    sent.forgetBefore(3);
    assert.ok(sent.isEmpty);
    assert.equal(sent.end, 3);
  });

  it("are numbered on behind those that were sent without being kept", () => {
    const sent = new SentRequests(new ReplayBudget(1000, 1000));
    sent.skipTo(5);
    const sixth = request(1);
    sent.add(sixth);
    assert.equal(sent.get(5), sixth);
    assert.equal(sent.end, 6);
  });

  it("count with their prefixes against the budget, up to its last byte, until they are released", () => {
    const budget = new ReplayBudget(2 * (10 + messagePrefixBytes), 1000);
    const sent = new SentRequests(budget);
    assert.ok(sent.reserve(request(10)));
    assert.equal(sent.reserve(request(11)), false);
    assert.ok(sent.reserve(request(10)));
    assert.equal(budget.usedBytes, 2 * (10 + messagePrefixBytes));
    sent.release();
    sent.release();
    assert.equal(budget.usedBytes, 0);
  });
});
