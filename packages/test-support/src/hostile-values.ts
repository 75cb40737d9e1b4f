/** Values that JavaScript can throw and that break careless logs or frameworks, by name. Each call creates a new one. */
export const hostileValues: Readonly<Record<string, () => unknown>> = {
  "a plain object with a cycle": () => {
    const value: Record<string, unknown> = {};
    value.self = value;
    return value;
  },
  "a BigInt": () => 7n,
  "an object with a BigInt": () => ({ id: 7n }),
  "a symbol": () => Symbol("thrown"),
  null: () => null,
  undefined: () => undefined,
  "an object whose getter throws": () => withGetter({}, "message"),
  "an object without a prototype": () => Object.create(null),
  "an object whose conversions throw": () => ({
    toString: fail,
    toJSON: fail,
    [Symbol.toPrimitive]: fail,
    [Symbol.for("nodejs.util.inspect.custom")]: fail,
  }),
  "a Proxy whose traps all throw": () =>
    new Proxy(
      {},
      {
        get: fail,
        has: fail,
        ownKeys: fail,
        getPrototypeOf: fail,
        getOwnPropertyDescriptor: fail,
      },
    ),
  "a revoked Proxy": () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  },
  "an Error whose message getter throws": () => withGetter(new Error("hidden"), "message"),
  "an Error whose stack getter throws": () => withGetter(new Error("hidden"), "stack"),
  "an Error whose cause getter throws": () => withGetter(new Error("hidden"), "cause"),
  "an Error whose name getter throws": () => withGetter(new Error("hidden"), "name"),
  "an Error with a cause that cannot be shown": () => new Error("shown", { cause: Object.create(null) }),
  "an Error whose stack is an object": () => Object.assign(new Error("shown"), { stack: Object.create(null) }),
};

function fail(): never {
  throw new Error("examined");
}

function withGetter<T extends object>(value: T, name: string): T {
  return Object.defineProperty(value, name, { get: fail, configurable: true });
}
