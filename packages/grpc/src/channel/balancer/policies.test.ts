import assert from "node:assert/strict";
import { test } from "node:test";
import { pickFirst } from "./pick-first.ts";
import { createPolicies, findPolicy } from "./policies.ts";

const builtin = [
  "pick_first",
  "round_robin",
  "random",
  "least_request",
  "weighted_round_robin",
  "ring_hash",
  "random_subsetting",
  "outlier_detection",
  "tercel_attribute_filter",
];

test("knows the built-in policies, also by the names they had as experiments", () => {
  const { all } = createPolicies();
  assert.deepEqual(
    all.map(({ policyName }) => policyName),
    builtin,
  );
  for (const name of builtin) {
    assert.equal(findPolicy(all, name)?.policyName, name);
    assert.equal(findPolicy(all, `${name}_experimental`)?.policyName, name);
  }
  assert.equal(findPolicy(all, "grpclb"), undefined);
  assert.equal(findPolicy(all, "__proto__"), undefined);
});

test("chooses the first policy of the list that it knows and reads its config", () => {
  const { choose } = createPolicies();
  const choice = choose("loadBalancingConfig", [
    { grpclb: {} },
    { least_request_experimental: { choiceCount: 3 } },
    { round_robin: {} },
  ]);
  assert.equal(choice.factory.policyName, "least_request");
  assert.deepEqual(choice.config, { choiceCount: 3 });
  assert.deepEqual(Object.keys(choose("x", [{ round_robin: { unheardOf: 1 } }])), ["factory"]);
});

test("takes the caller's policies before built-in ones", () => {
  const own = { policyName: "own", create: pickFirst.create };
  const other = { policyName: "round_robin", create: pickFirst.create };
  const policies = createPolicies([own, other]);
  assert.equal(findPolicy(policies.all, "own"), own);
  assert.equal(findPolicy(policies.all, "round_robin"), other);
  assert.equal(policies.choose("x", [{ own: {} }]).factory, own);
  assert.throws(() => createPolicies([own, own]), { message: 'balancers holds two policies named "own"' });
  assert.throws(() => createPolicies([{ policyName: "", create: pickFirst.create }]), /not a balancer factory/);
});

test("reads the configs of children, however deep", () => {
  const { choose } = createPolicies();
  const { config } = choose("loadBalancingConfig", [
    {
      outlier_detection: {
        failurePercentageEjection: {},
        childPolicy: [{ random_subsetting: { subsetSize: 3, childPolicy: [{ round_robin: {} }] } }],
      },
    },
  ]);
  const outer = config as { child: { factory: { policyName: string }; config: { subsetSize: number } } };
  assert.equal(outer.child.factory.policyName, "random_subsetting");
  assert.equal(outer.child.config.subsetSize, 3);
});

test("says what is wrong with a list", () => {
  const { choose } = createPolicies();
  const where = "loadBalancingConfig";
  for (const [list, message] of [
    [undefined, 'loadBalancingConfig has to be a list of policies, such as [{ "round_robin": {} }]'],
    [{ round_robin: {} }, 'loadBalancingConfig has to be a list of policies, such as [{ "round_robin": {} }]'],
    [[], 'loadBalancingConfig has to be a list of policies, such as [{ "round_robin": {} }]'],
    [["round_robin"], /^loadBalancingConfig holds "round_robin"; each entry has to be an object with/],
    [[{ a: {}, b: {} }], /^loadBalancingConfig holds \{"a":\{\},"b":\{\}\}; each entry has to be/],
    [[{}], /^loadBalancingConfig holds \{\}; each entry/],
    [[{ round_robin: 1 }], "loadBalancingConfig: the config of round_robin has to be an object"],
    [
      [{ grpclb: {} }, { xds: {} }],
      /^loadBalancingConfig names only unknown policies, grpclb, xds; known policies: pick_first,/,
    ],
    [[{ outlier_detection: {} }], /^outlier_detection: childPolicy has to be a list/],
    [
      [{ random_subsetting: { childPolicy: [{ round_robin: {} }] } }],
      /^random_subsetting: subsetSize is null; it has to be there/,
    ],
    [
      [{ tercel_attribute_filter: { childPolicies: [] } }],
      /unknown option "childPolicies"; did you mean "childPolicy"\?/,
    ],
  ] as const) {
    assert.throws(() => choose(where, list as never), { name: "TypeError", message });
  }
});
