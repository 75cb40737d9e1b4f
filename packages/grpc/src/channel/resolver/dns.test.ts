import assert from "node:assert/strict";
import { test } from "node:test";
import { Code } from "@connectrpc/connect";
import { createFakeClock, promisesSettled } from "../../time/fake-clock.ts";
import { formatAddress } from "../naming/address-text.ts";
import { parseTarget } from "../naming/target.ts";
import { createBackoff } from "../retry/backoff.ts";
import { createDnsResolver, type DnsResolverOptions } from "./dns.ts";
import { nodeDnsLookup } from "./dns-lookup.ts";

interface Lookup {
  readonly host: string;
  readonly server: string | undefined;
  readonly signal: AbortSignal;
  answer(...addresses: string[]): Promise<void>;
  fail(message: string): Promise<void>;
}

function setUp(
  text = "dns:///example.com:50051",
  isUsable: (count: number) => boolean = (count) => count > 0,
  options: DnsResolverOptions = {},
) {
  const clock = createFakeClock();
  const lookups: Lookup[] = [];
  const events: string[] = [];
  const serviceConfigs: unknown[] = [];
  const factory = createDnsResolver({
    ...options,
    lookup: (host, server, signal) => {
      const { promise, resolve, reject } = Promise.withResolvers<readonly string[]>();
      const answer = (...addresses: string[]): Promise<void> => {
        resolve(addresses);
        return promisesSettled();
      };
      const fail = (message: string): Promise<void> => {
        reject(new Error(message));
        return promisesSettled();
      };
      lookups.push({ host, server, signal, answer, fail });
      return promise;
    },
  });
  const resolver = factory.create(
    parseTarget(text),
    {
      onResult: ({ endpoints, serviceConfigJson, serviceConfigError }) => {
        serviceConfigs.push(serviceConfigError?.rawMessage ?? serviceConfigJson);
        events.push(endpoints.map(({ addresses }) => addresses.map(formatAddress).join("+")).join(" "));
        return isUsable(endpoints.length);
      },
      onError: (error) => {
        assert.equal(error.code, Code.Unavailable);
        events.push(error.rawMessage);
      },
    },
    { clock, backoff: createBackoff({ random: () => 0.5 }) },
  );
  const lookup = (index: number) => lookups[index] ?? assert.fail(`there was no lookup ${index}`);
  return { clock, lookups, lookup, events, resolver, serviceConfigs };
}

test("makes every address an endpoint with the target's port, in order and once", async () => {
  const { lookup, events, resolver, clock } = setUp();
  assert.equal(lookup(0).host, "example.com");
  assert.equal(lookup(0).server, undefined);
  await lookup(0).answer("2001:db8::1", "1.2.3.4", "2001:db8::1");
  assert.deepEqual(events, ["[2001:db8::1]:50051 1.2.3.4:50051"]);
  assert.equal(clock.pendingTimers, 0);
  resolver.close();
});

test("asks the DNS server that the target names", () => {
  assert.equal(setUp("dns://8.8.8.8:53/example.com:1").lookup(0).server, "8.8.8.8:53");
});

test("does not look up what is an address already", () => {
  for (const [text, expected] of [
    ["127.0.0.1:1", "127.0.0.1:1"],
    ["dns:///[::1]:1", "[::1]:1"],
  ] as const) {
    const { lookups, events, resolver } = setUp(text);
    resolver.resolveNow();
    assert.deepEqual(events, [expected]);
    assert.equal(lookups.length, 0);
    resolver.close();
  }
});

test("resolves again on request, at the earliest 30 seconds after the last success", async () => {
  const { clock, lookups, lookup, resolver, events } = setUp();
  await lookup(0).answer("1.2.3.4");
  await clock.advance(10_000);
  resolver.resolveNow();
  resolver.resolveNow();
  await clock.advance(19_999);
  assert.equal(lookups.length, 1);
  await clock.advance(1);
  assert.equal(lookups.length, 2);
  resolver.resolveNow();
  await lookup(1).answer("5.6.7.8");
  assert.deepEqual(events, ["1.2.3.4:50051", "5.6.7.8:50051"]);
  await clock.advance(30_000);
  assert.equal(lookups.length, 2, "no one has asked since");
  resolver.resolveNow();
  assert.equal(lookups.length, 3);
  resolver.close();
});

test("repeats a failed resolution by itself, with growing pauses that requests do not shorten", async () => {
  const { clock, lookups, lookup, events, resolver } = setUp();
  await lookup(0).fail("queryA ENOTFOUND");
  assert.deepEqual(events, ['cannot resolve "dns:///example.com:50051": queryA ENOTFOUND (attempt 1, next in 1.0 s)']);
  resolver.resolveNow();
  await clock.advance(999);
  assert.equal(lookups.length, 1);
  await clock.advance(1);
  await lookup(1).fail("queryA ETIMEOUT");
  assert.match(events[1] ?? "", /ETIMEOUT \(attempt 2, next in 1\.6 s\)$/);
  await clock.advance(1600);
  await lookup(2).answer("1.2.3.4");
  await clock.advance(30_000);
  resolver.resolveNow();
  await lookup(3).fail("queryA ENOTFOUND");
  assert.match(events[3] ?? "", /attempt 1, next in 1\.0 s/);
  resolver.close();
  assert.equal(clock.pendingTimers, 0);
});

test("takes a result that the channel cannot use for a failure", async () => {
  const { clock, lookups, lookup, events, resolver } = setUp();
  await lookup(0).answer();
  assert.deepEqual(events, [""]);
  await clock.advance(1000);
  await lookup(1).answer();
  await clock.advance(1600);
  assert.equal(lookups.length, 3);
  resolver.close();
});

test("says nothing after close, whatever was under way", async () => {
  for (const answer of [(one: Lookup) => one.answer("1.2.3.4"), (one: Lookup) => one.fail("late")]) {
    const { clock, lookups, lookup, events, resolver } = setUp();
    resolver.close();
    assert.ok(lookup(0).signal.aborted);
    await answer(lookup(0));
    resolver.resolveNow();
    await clock.advance(1_000_000);
    assert.deepEqual(events, []);
    assert.equal(lookups.length, 1);
    assert.equal(clock.pendingTimers, 0);
  }
  const backingOff = setUp();
  await backingOff.lookup(0).fail("refused");
  backingOff.resolver.close();
  assert.equal(backingOff.clock.pendingTimers, 0);
});

test("plans nothing when the report of a result closes it", async () => {
  const opened = setUp(undefined, () => {
    opened.resolver.close();
    return false;
  });
  await opened.lookup(0).answer("1.2.3.4");
  assert.equal(opened.clock.pendingTimers, 0);
});

test("finds this machine through the system's resolver", async () => {
  const found = await nodeDnsLookup("localhost", undefined, new AbortController().signal);
  assert.ok(found.includes("127.0.0.1") || found.includes("::1"), found.join());
});

test("resolves again by itself after the period that it is given, counted from the last success", async () => {
  const { clock, lookups, lookup, resolver } = setUp(undefined, undefined, { resolutionPeriodMs: 60_000 });
  await lookup(0).answer("1.2.3.4");
  await clock.advance(59_999);
  assert.equal(lookups.length, 1);
  await clock.advance(1);
  await lookup(1).answer("1.2.3.4");
  await clock.advance(40_000);
  resolver.resolveNow();
  await lookup(2).answer("1.2.3.4");
  await clock.advance(59_999);
  assert.equal(lookups.length, 3);
  await clock.advance(1);
  assert.equal(lookups.length, 4);
  await lookup(3).answer("1.2.3.4");
  resolver.close();
  assert.equal(clock.pendingTimers, 0);
});

test("asks for a service config only if it is told to, at _grpc_config. before the name as gRFC A2 has it, where grpc-js asks at the name itself", async () => {
  const asked: unknown[] = [];
  const lookupTxt: DnsResolverOptions["lookupTxt"] = async (name, server) => {
    asked.push([name, server]);
    return [["v=spf1"], ['grpc_config=[{"serviceConfig":{"loadBal', 'ancingPolicy":"round_robin"}}]']];
  };
  const silent = setUp(undefined, undefined, { lookupTxt });
  await silent.lookup(0).answer("1.2.3.4");
  assert.deepEqual(silent.serviceConfigs, [undefined]);
  assert.deepEqual(asked, []);
  const asking = setUp("dns://8.8.8.8/example.com:1", undefined, { lookupTxt, serviceConfig: true });
  await asking.lookup(0).answer("1.2.3.4");
  assert.deepEqual(asked, [["_grpc_config.example.com", "8.8.8.8"]]);
  assert.deepEqual(asking.serviceConfigs, ['{"loadBalancingPolicy":"round_robin"}']);
});

test("reports addresses even if the service config cannot be had or read", async () => {
  for (const [lookupTxt, expected] of [
    [async () => [], undefined],
    [
      () => Promise.reject(new Error("queryTxt ETIMEOUT")),
      /^no service config of "_grpc_config\.example\.com": queryTxt ETIMEOUT$/,
    ],
    [async () => [["grpc_config={}"]], /^no service config .*: its grpc_config= is not a list of choices$/],
  ] as const) {
    const { lookup, events, serviceConfigs } = setUp(undefined, undefined, { lookupTxt, serviceConfig: true });
    await lookup(0).answer("1.2.3.4");
    assert.deepEqual(events, ["1.2.3.4:50051"]);
    const [found] = serviceConfigs;
    if (expected === undefined) assert.equal(found, undefined);
    else assert.match(String(found), expected);
  }
});

test("refuses options that it does not know or cannot keep", () => {
  assert.throws(
    () => createDnsResolver({ serviceConfigs: true } as DnsResolverOptions),
    /did you mean "serviceConfig"\?/,
  );
  assert.throws(
    () => createDnsResolver({ resolutionPeriodMs: 29_999 }),
    /^RangeError: createDnsResolver: resolutionPeriodMs/,
  );
  assert.throws(() => createDnsResolver({ minTimeBetweenResolutionsMs: -1 }), RangeError);
  createDnsResolver({ resolutionPeriodMs: 30_000 });
});
