import assert from "node:assert/strict";
import { test } from "node:test";
import { chooseServiceConfig } from "./service-config-choice.ts";

const client = { language: "node", hostname: "web-1", percentile: 30 };

function choose(...choices: object[]): string | undefined {
  return chooseServiceConfig([[`grpc_config=${JSON.stringify(choices)}`]], client);
}

test("takes the first choice that is for this client", () => {
  const other = { serviceConfig: { is: "other" } };
  const mine = { serviceConfig: { is: "mine" } };
  for (const [criteria, expected] of [
    [{}, "mine"],
    [{ clientLanguage: ["go", "NODE"] }, "mine"],
    [{ clientLanguage: ["go"] }, "other"],
    [{ clientLanguage: [] }, "mine"],
    [{ clientHostname: ["web-1"] }, "mine"],
    [{ clientHostname: ["WEB-1"] }, "other"],
    [{ percentage: 31 }, "mine"],
    [{ percentage: 30 }, "other"],
    [{ percentage: 0 }, "other"],
    [{ percentage: 100 }, "mine"],
    [{ clientLanguage: ["node"], percentage: 10 }, "other"],
  ] as const) {
    assert.equal(choose({ ...criteria, ...mine }, other), JSON.stringify({ is: expected }), JSON.stringify(criteria));
  }
});

test("has none when no choice or no record is for this client", () => {
  assert.equal(choose({ clientLanguage: ["go"], serviceConfig: {} }), undefined);
  assert.equal(choose(), undefined);
  assert.equal(chooseServiceConfig([], client), undefined);
  assert.equal(chooseServiceConfig([["v=spf1 -all"], []], client), undefined);
});

test("puts the strings of a record together and passes over other records", () => {
  const records = [["spf"], ["grpc_", 'config=[{"serviceConfig":{"a":', "1}}]"]];
  assert.equal(chooseServiceConfig(records, client), '{"a":1}');
});

test("refuses the whole record for one mistake in it", () => {
  const good = { serviceConfig: {} };
  for (const [choices, message] of [
    [[good, { clientlanguage: ["go"], serviceConfig: {} }], /unknown field "clientlanguage"/],
    [[good, {}], /serviceConfig has to be an object/],
    [[good, { serviceConfig: [] }], /serviceConfig has to be an object/],
    [[good, { percentage: 101, serviceConfig: {} }], /percentage has to be a whole number from 0 to 100/],
    [[good, { percentage: "10", serviceConfig: {} }], /percentage has to be/],
    [[good, { clientLanguage: "go", serviceConfig: {} }], /clientLanguage has to be a list of texts/],
    [[good, 5], /a choice that is not an object/],
  ] as const) {
    assert.throws(() => choose(...(choices as readonly object[])), { name: "TypeError", message });
  }
  assert.throws(() => chooseServiceConfig([["grpc_config=[{"]], client), /is not JSON/);
});
