// Long: it starts the whole shop again and again, as npm does.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { serviceNames, signDevelopmentToken } from "./development-secret.ts";
import { connect } from "./grpc-client.ts";
import { Inbox } from "./inbox.ts";
import { isRunning, untilEnded } from "./shop-process.ts";
import { type Checkout, createCheckout, type StartedShop } from "./started-shop.ts";

const skip = process.platform === "linux" ? false : "there is no /proc";

let checkout: Checkout;
beforeEach(async () => {
  checkout = await createCheckout();
});
afterEach(() => checkout.end());

/** Resolves when all services listen. */
async function opened(shop: StartedShop): Promise<StartedShop> {
  for (const name of serviceNames) await shop.addressOf(name);
  return shop;
}

async function createAda(address: string, email = "ada@example.org"): Promise<void> {
  const client = connect("user.UserService", address);
  try {
    const { user } = await client.call("CreateUser", { name: "Ada", email });
    assert.equal(user.name, "Ada");
  } finally {
    client.close();
  }
}

/** Checks that all processes have ended, and that each service logged its stop. */
async function assertStoppedGracefully(shop: StartedShop, pids: readonly number[]): Promise<void> {
  for (const pid of pids) await untilEnded(pid);
  await shop.process.ended;
  for (const name of serviceNames) assert.match(shop.process.text(), new RegExp(`^${name} .* INFO +stopped`, "m"));
}

describe("npm start", { skip }, () => {
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    test(`${signal} to npm alone ends the whole shop gracefully`, { timeout: 180_000 }, async () => {
      const shop = await opened(checkout.npmStart());
      const { dev, services } = shop.pids();
      shop.process.signal(signal);
      await assertStoppedGracefully(shop, [dev, ...services]);
      assert.equal(await shop.process.ended, signal);
    });
  }

  test("Ctrl-C, which is SIGINT to all processes, ends the whole shop gracefully", { timeout: 180_000 }, async () => {
    const shop = await opened(checkout.npmStart());
    const { dev, services } = shop.pids();
    process.kill(-shop.process.pid, "SIGINT");
    await assertStoppedGracefully(shop, [dev, ...services]);
    // npm ends like its shell: dash by the signal, bash with the exit code of the shop.
    assert.ok([0, "SIGINT"].includes((await shop.process.ended) ?? ""));
  });

  test("the printed page and calls work without changes, in the folder of npm start", {
    timeout: 180_000,
  }, async () => {
    const shop = await opened(checkout.npmStart());
    const shown: string[] = [];
    for (const name of serviceNames) {
      const [, command = ""] = await shop.process.says(new RegExp(`^${name} +try: (.+)$`, "m"));
      shown.push(command);
    }
    const [, page = "", token = ""] = await shop.process.says(/^user-service +page: (http:\S+)#token=(\S+)$/m);
    assert.match(await (await fetch(page)).text(), /<title>/);
    const users = await fetch(`${page}v1/users`, { headers: { authorization: `Bearer ${token}` } });
    assert.equal(users.status, 200);
    assert.match(shown.join("\n"), / call api\.user\.v1\.UserService\/ListUsers /);
    assert.match(shown.join("\n"), / call shop\.order\.v1\.OrderService\/ListOrders .*authorization: Bearer/);
    const { folder: cwd, env } = checkout;
    const { stderr, status } = spawnSync("bash", ["-e"], { cwd, env, input: shown.join("\n"), encoding: "utf8" });
    assert.equal(status, 0, stderr);
  });

  test("every service accepts a token of npm run token", { timeout: 180_000 }, async () => {
    const printer = checkout.npmRun("token", ["--role", "admin"]);
    assert.equal(await printer.ended, 0, printer.text());
    const admin = { authorization: `Bearer ${printer.text().trim()}` };
    const shop = await opened(checkout.start());
    for (const [name, service, method] of [
      ["user-service", "user.v1.UserService", "ListUsers"],
      ["order-service", "shop.order.v1.OrderService", "ListOrders"],
      ["payment-service", "shop.payment.v1.PaymentService", "ListPayments"],
      ["notification-service", "shop.notification.v1.NotificationService", "ListNotifications"],
    ] as const) {
      const client = connect(service, await shop.addressOf(name));
      await client.call(method, { page_size: 1 }, admin).finally(() => client.close());
    }
  });
});

describe("the shop under tercel dev", { skip }, () => {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    test(`${signal} ends all services cleanly with exit code 0`, { timeout: 180_000 }, async () => {
      const shop = await opened(checkout.start());
      const { services } = shop.pids();
      assert.equal(services.length, serviceNames.length);
      shop.process.signal(signal);
      assert.equal(await shop.process.ended, 0);
      await assertStoppedGracefully(shop, services);
    });
  }

  test("services end when tercel dev is killed", { timeout: 180_000 }, async () => {
    const shop = await opened(checkout.start());
    const { services } = shop.pids();
    shop.process.signal("SIGKILL");
    for (const pid of services) await untilEnded(pid);
  });

  test("restarts a killed service at its address, and the services find each other again", {
    timeout: 180_000,
  }, async () => {
    const shop = await opened(checkout.start());
    const address = await shop.addressOf("user-service");
    await createAda(address);
    await shop.process.says(/welcome order placed/);
    process.kill(shop.pidOf("user-service"), "SIGKILL");
    assert.equal(await shop.addressOf("user-service", 2), address);
    await createAda(address, "eve@example.org");
    await shop.process.says(/welcome order placed/, 2);
  });

  test("killing everything at once loses no user and no event; events arrive after the next start", {
    timeout: 180_000,
  }, async () => {
    const shop = await opened(checkout.start());
    const { dev, services } = shop.pids();
    const users = connect("user.UserService", await shop.addressOf("user-service"));
    const confirmed: string[] = [];
    const create = async (): Promise<void> => {
      for (;;) {
        const { user } = await users.call("CreateUser", { name: "Ada", email: `${randomUUID()}@example.org` });
        confirmed.push(user.id);
        // The registry and the event hub are in the process of tercel dev.
        if (confirmed.length === 20) for (const pid of [dev, ...services]) process.kill(pid, "SIGKILL");
      }
    };
    await Promise.allSettled([create(), create()]);
    users.close();
    for (const pid of services) await untilEnded(pid);
    assert.ok(confirmed.length >= 20);

    const again = await opened(checkout.start());
    const secret = readFileSync(join(checkout.shop, ".tercel/secret"), "utf8").trim();
    const token = await signDevelopmentToken(secret, { role: "admin", subject: "ops", minutes: 5 });
    const admin = { authorization: `Bearer ${token}` };
    const inbox = new Inbox(await again.addressOf("notification-service"), admin);
    for (const userId of confirmed) {
      assert.deepEqual(await inbox.kinds(userId), ["order.placed", "payment.settled", "user.created"]);
    }
    inbox.close();
  });

  test("--set applies to all services or to one, and one setting disables rate limits", {
    timeout: 180_000,
  }, async () => {
    const shop = await opened(
      checkout.start([
        "--set=logging.providers.console.level=warn",
        "--set=order-service:logging.providers.console.level=info",
        "--set=user-service:rate_limit.calls=1",
        "--set=rate_limit.enabled=false",
      ]),
    );
    const address = await shop.addressOf("user-service");
    for (const email of ["a@example.org", "b@example.org", "c@example.org"]) await createAda(address, email);
    await shop.process.says(/^order-service .* INFO +ready/m);
    assert.doesNotMatch(shop.process.text(), /^(?:user|payment|notification)-service .* INFO /m);
  });

  for (const [set, says] of [
    ["user-service:service.prot=7000", /unknown key service\.prot; did you mean (?:--set )?service\.port/],
    ["rate_limit.enabeld=false", /unknown key rate_limit\.enabeld; did you mean (?:--set )?rate_limit\.enabled/],
    ["usr-service:service.port=7000", /unknown service "usr-service"; did you mean user-service\?/],
    ["service.port", /invalid --set "service\.port": expected key=value, or service:key=value for one service/],
  ] as const) {
    test(`refuses --set ${set} with the nearest name, and leaves nothing running`, { timeout: 180_000 }, async () => {
      const shop = checkout.start(["--set", set]);
      assert.notEqual(await shop.process.ended, 0);
      assert.match(shop.process.text(), says);
      assert.ok(!isRunning(shop.process.pid));
    });
  }
});
